package backing

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

func flock(kind int16, from, bytes int64) *unix.Flock_t {
	return &unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: from, Len: bytes}
}

// tryLock locks a byte of a file for this open file, if nobody has it locked.
func tryLock(f *os.File, at int64) (bool, error) {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, flock(unix.F_WRLCK, at, 1))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINTR):
		return false, nil
	}
	return false, os.NewSyscallError("fcntl F_OFD_SETLK", err)
}

func unlock(f *os.File, at int64) {
	_ = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, flock(unix.F_UNLCK, at, 1))
}

// locked reports whether another open file has locked one of the bytes. If the system
// does not say, it is: nobody is believed dead without the kernel's word.
func locked(f *os.File, from, bytes int64) bool {
	if bytes == 0 {
		return false
	}
	l := flock(unix.F_WRLCK, from, bytes)
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, l)
	return err != nil || l.Type != unix.F_UNLCK
}

// allocate gives a file that many bytes of zeros, now and not at the first touch. Where the file system
// cannot, they are written.
func allocate(f *os.File, size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return writeZeros(f, size)
		}
		return os.NewSyscallError("fallocate", err)
	}
}

func checkPlace(Place) error { return nil }
