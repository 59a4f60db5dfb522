package rendezvous

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// open opens a plain file of the directory. What else somebody has put there is
// neither followed nor waited for.
func (d *Dir) open(file string, flags int) (*os.File, error) {
	// A FIFO would wait for its other end, a terminal could become this process's.
	const wary = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	fd, err := unix.Openat(d.fd, file, flags|wary, 0o600)
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENXIO):
		return nil, fmt.Errorf("%w: %w", d.strange(file), err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		whose := ""
		if d.group != noGroup {
			whose = fmt.Sprintf(", of which only members of group %d may use what is in it", d.group)
		}
		return nil, fmt.Errorf("%w: open %s in %s%s: %w", partywall.ErrAccess, file, d.path, whose, err)
	case err != nil:
		return nil, os.NewSyscallError("open "+file, err)
	}
	var st unix.Stat_t
	err = os.NewSyscallError("stat "+file, unix.Fstat(fd, &st))
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = d.strange(file)
	}
	if err == nil {
		err = os.NewSyscallError("fcntl", unix.SetNonblock(fd, false))
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), file), nil
}

func (d *Dir) strange(file string) error {
	return fmt.Errorf("%w: %s/%s is not a plain file; remove it", partywall.ErrAccess, d.path, file)
}

// lock opens a lock file and locks it: a flock(2) lock belongs to the open file, and
// the kernel ends it with the last process that has that. The lock file stays for
// ever: whoever removed one could remove another's. The error is EWOULDBLOCK if the
// lock is taken.
func (d *Dir) lock(file string) (*os.File, error) {
	f, err := d.openOwn(file, unix.O_RDWR|unix.O_CREAT)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, os.NewSyscallError("flock", err)
	}
	return f, nil
}

// unlock ends a lock for every process that shares the open file.
func unlock(f *os.File) error {
	return os.NewSyscallError("flock", unix.Flock(int(f.Fd()), unix.LOCK_UN))
}

// readNote returns what a lock file says, and no more of it than somebody of ours
// would have written.
func readNote(f *os.File) (string, error) {
	note := make([]byte, partywall.MaxName+2)
	n, err := f.ReadAt(note, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return string(note[:n]), nil
}

// note returns what a lock file of the directory says.
func (d *Dir) note(file string) (string, error) {
	f, err := d.openOwn(file, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readNote(f)
}

// openOwn opens a file of which it is enough that it is in this directory, if that is this user's alone. Among a
// group's members it has to be the group's too.
func (d *Dir) openOwn(file string, flags int) (*os.File, error) {
	if d.group == noGroup {
		return d.open(file, flags)
	}
	return d.Open(file, flags)
}
