package backing

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/peer"
)

// An identity is a process id, and the lower 32 bits of the time at which the process began, in units of 100
// ns: the id may be given to another process, but not at the same time.

func ownIdentity() (uint64, error) { return identityOf(windows.CurrentProcess(), uint32(os.Getpid())) }

func identityOf(process windows.Handle, pid uint32) (uint64, error) {
	began, err := peer.Began(process)
	return uint64(pid)<<32 | began&(1<<32-1), err
}

// alive reports whether the process of an identity is there. In doubt it is.
func alive(identity uint64) bool {
	pid := uint32(identity >> 32)
	process, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	switch {
	case errors.Is(err, windows.ERROR_INVALID_PARAMETER): // no process has that id
		return false
	case err != nil: // another user's may have it
		now, err := listed(pid)
		return err != nil || now == identity
	}
	defer windows.CloseHandle(process)
	if now, err := identityOf(process, pid); err == nil && now != identity {
		return false
	}
	// A process that has ended is there as long as somebody has a handle to it.
	event, err := windows.WaitForSingleObject(process, 0)
	return err != nil || event != windows.WAIT_OBJECT_0
}
