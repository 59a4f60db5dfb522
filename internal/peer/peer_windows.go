package peer

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// A Process is a peer's process, held by its handle: the number is not another's as long as that
// is open. Its owner closes it.
type Process struct {
	Handle   windows.Handle
	Identity Identity
}

// Rights that a [Process] is opened with. Both sides notice the other's end and ask for its user; the server
// takes the handles that its client names, and so needs a right which the system gives for
// processes of the same user, but not for those that are elevated when it is not.
const (
	Watch = windows.SYNCHRONIZE | windows.PROCESS_QUERY_LIMITED_INFORMATION
	Take  = Watch | windows.PROCESS_DUP_HANDLE
)

// OfProcess opens a process by its number, and asks the kernel whose it is. The caller makes sure
// afterwards that the peer still has the conn open: then the number cannot have become another's. The
// error wraps [partywall.ErrAccess] if this process may not.
func OfProcess(pid uint32, access uint32) (*Process, error) {
	h, err := windows.OpenProcess(access, false, pid)
	if err != nil {
		return nil, refused(pid, "open", err)
	}
	p := &Process{Handle: h, Identity: Identity{PID: int(pid), UID: -1}}
	if err := windows.ProcessIdToSessionId(pid, &p.Identity.Session); err != nil {
		p.Close()
		return nil, refused(pid, "ask for the session of", err)
	}
	// Of a service nobody else may ask this; whoever insists on a user does not take it for his own then.
	p.Identity.User, _ = userOf(h)
	return p, nil
}

func refused(pid uint32, verb string, err error) error {
	if err == windows.ERROR_ACCESS_DENIED {
		return fmt.Errorf("%w: %s process %d: it is another user's, or runs as administrator and this one does not: %w",
			partywall.ErrAccess, verb, pid, err)
	}
	return fmt.Errorf("%s process %d: %w", verb, pid, err)
}

// userOf returns the security identifier of a process's user.
func userOf(process windows.Handle) (string, error) {
	var token windows.Token
	if err := windows.OpenProcessToken(process, windows.TOKEN_QUERY, &token); err != nil {
		return "", err
	}
	defer token.Close()
	user, err := token.GetTokenUser()
	if err != nil {
		return "", err
	}
	return user.User.Sid.String(), nil
}

// Close lets go of the process.
func (p *Process) Close() {
	if p.Handle != 0 {
		_ = windows.CloseHandle(p.Handle)
		p.Handle = 0
	}
}

// EndsWithin waits at most that long for the process's end, and reports whether it has ended.
func (p *Process) EndsWithin(d time.Duration) bool {
	what, err := windows.WaitForSingleObject(p.Handle, uint32(d.Milliseconds()))
	return err == nil && what == windows.WAIT_OBJECT_0
}

// Began returns when a process began, in units of 100 ns: its number may be given to another process, but
// not at the same time.
func Began(process windows.Handle) (uint64, error) {
	var began, ended, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(process, &began, &ended, &kernel, &user); err != nil {
		return 0, os.NewSyscallError("GetProcessTimes", err)
	}
	return uint64(began.HighDateTime)<<32 | uint64(began.LowDateTime), nil
}

var self = sync.OnceValues(func() (id Identity, err error) {
	id = Identity{PID: os.Getpid(), UID: -1}
	if id.User, err = userOf(windows.CurrentProcess()); err == nil {
		err = windows.ProcessIdToSessionId(uint32(id.PID), &id.Session)
	}
	if err != nil {
		err = fmt.Errorf("ask for this process's user and session: %w", err)
	}
	return id, err
})

func (id Identity) user() string { return id.User }

func (id Identity) checkSameUser() error {
	me, err := self()
	if err != nil {
		return err
	}
	if id.User != me.User {
		return fmt.Errorf("%w: the peer is %v, not of this process's user %s", partywall.ErrAccess, id, me.User)
	}
	return nil
}

func (id Identity) checkSameSession() error {
	me, err := self()
	if err != nil {
		return err
	}
	if id.Session != me.Session {
		return fmt.Errorf("%w: the peer is %v in session %d, and this one runs in session %d", partywall.ErrAccess, id, id.Session, me.Session)
	}
	return nil
}
