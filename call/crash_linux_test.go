package call_test

import (
	"os"
	"syscall"
	"testing"
)

const (
	crashRounds = 500
	crashPace   = 1 // multiplies the time after which a process is killed
)

func wasKilled(s *os.ProcessState) bool {
	return s.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

func checkNoChildren(t *testing.T) {
	t.Helper()
	const all, flags = 0, syscall.WEXITED | syscall.WNOHANG | syscall.WNOWAIT
	_, _, err := syscall.Syscall6(syscall.SYS_WAITID, all, 0, 0, flags, 0, 0)
	if err != syscall.ECHILD {
		t.Errorf("a child process is left: waitid says %v, not %v", err, syscall.ECHILD)
	}
}
