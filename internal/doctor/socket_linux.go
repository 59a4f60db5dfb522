package doctor

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/peer"
)

const noSocket = "client and server cannot be joined: Listen and Dial fail."

// seqpacket hands a descriptor over a socket of the kind that joins client and
// server, and asks the kernel who is at its other end.
func seqpacket(context.Context) Finding {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return refused(os.NewSyscallError("socketpair", err), "seqpacket sockets", noSocket)
	}
	a, b := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")
	defer a.Close()
	defer b.Close()

	who, err := peer.OfSocket(a)
	if err != nil {
		return refused(err, "SO_PEERCRED", noSocket)
	}
	if err := who.CheckSameUser(); err != nil || who.PID != os.Getpid() {
		return Finding{
			Status: Failed,
			Seen:   fmt.Sprintf("SO_PEERCRED says %v, but this is process %d of user %d", who, os.Getpid(), os.Geteuid()),
			Means:  "Each side refuses a peer that is not of its own user.",
			Advice: "The kernel or the sandbox does not tell peers apart: use another.",
		}
	}
	same, err := handOver(pair[0], pair[1])
	if err != nil {
		return refused(err, "SCM_RIGHTS", noSocket)
	}
	if !same {
		return Finding{
			Status: Failed,
			Seen:   "SCM_RIGHTS: what was sent has not arrived",
			Means:  "Shared memory cannot be handed over.",
			Advice: "The kernel or the sandbox does not pass descriptors: use another.",
		}
	}
	return fine("seqpacket, with SO_PEERCRED and SCM_RIGHTS")
}

// handOver sends a descriptor through a socket and reports whether it is the same
// file that arrives.
func handOver(from, to int) (same bool, err error) {
	fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, os.NewSyscallError("open", err)
	}
	defer unix.Close(fd)
	if err := again(func() error { return unix.Sendmsg(from, []byte{1}, unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL) }); err != nil {
		return false, os.NewSyscallError("sendmsg", err)
	}
	oob := make([]byte, unix.CmsgSpace(4))
	var oobn, flags int
	if err := again(func() (err error) {
		_, oobn, flags, _, err = unix.Recvmsg(to, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		return err
	}); err != nil {
		return false, os.NewSyscallError("recvmsg", err)
	}
	if flags&unix.MSG_CTRUNC != 0 && oobn == 0 {
		return false, fmt.Errorf("recvmsg dropped the descriptor: %w", unix.EMFILE)
	}
	controls, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(controls) != 1 {
		return false, err
	}
	fds, err := unix.ParseUnixRights(&controls[0])
	if err != nil || len(fds) != 1 {
		return false, err
	}
	defer unix.Close(fds[0])
	var sent, got unix.Stat_t
	if err := unix.Fstat(fd, &sent); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	if err := unix.Fstat(fds[0], &got); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	return sent.Dev == got.Dev && sent.Ino == got.Ino, nil
}
