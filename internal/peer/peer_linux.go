package peer

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// OfSocket returns who is at the other end of a connected Unix socket
// (SO_PEERCRED, unix(7)): for the side that accepted, whoever called connect; for
// the side that connected, whoever called listen.
func OfSocket(conn syscall.Conn) (Identity, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return Identity{}, err
	}
	var cred *unix.Ucred
	var sockErr error
	if err := raw.Control(func(fd uintptr) {
		cred, sockErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Identity{}, err
	}
	if sockErr != nil {
		return Identity{}, os.NewSyscallError("getsockopt SO_PEERCRED", sockErr)
	}
	return Identity{PID: int(cred.Pid), UID: int(cred.Uid)}, nil
}

func (id Identity) user() string { return strconv.Itoa(id.UID) }

func (id Identity) checkSameSession() error { return nil }

func (id Identity) checkSameUser() error {
	if me := os.Geteuid(); id.UID != me {
		return fmt.Errorf("%w: the peer is %v, not of this process's user %d", partywall.ErrAccess, id, me)
	}
	return nil
}
