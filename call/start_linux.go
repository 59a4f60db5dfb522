package call

import (
	"os/exec"
	"syscall"
)

// detach takes the server out of this process's session, and with that from its
// terminal, unless the command has been told otherwise (setsid(2)).
func detach(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
}
