package call

import (
	"os/exec"
	"syscall"
)

// detachedProcess is DETACHED_PROCESS: no console, not even this process's.
const detachedProcess = 0x8

// detach gives the server neither this process's console nor its group, so that neither Ctrl-C nor the
// console's end reaches it, unless the command has been told otherwise (Microsoft's "Process Creation
// Flags").
func detach(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: detachedProcess | syscall.CREATE_NEW_PROCESS_GROUP}
	}
}
