package call

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawEmpty sends a frame of no bytes at all, with control data. It makes the system
// call itself, since package net and x/sys/unix add a byte to such a frame.
func (w *wire) rawEmpty(oob []byte) error {
	header := unix.Msghdr{}
	if len(oob) > 0 {
		header.Control = &oob[0]
		header.SetControllen(len(oob))
	}
	raw, err := w.conn.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&header)), unix.MSG_NOSIGNAL)
	})
	if errno != 0 {
		return errno
	}
	return err
}
