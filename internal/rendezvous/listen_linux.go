package rendezvous

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// A Listener holds a name. Close gives it back.
type Listener struct {
	dir    *Dir
	lock   *os.File
	socket *net.UnixListener
	stem   string
	name   string
	closed bool
}

func listen(name string) (_ *Listener, err error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, err
	}
	l := &Listener{name: name, stem: fileStem(name)}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.dir, err = openDir(true); err != nil {
		return nil, fmt.Errorf("serve %q: %w", name, err)
	}
	if l.lock, err = l.dir.lock(l.stem + ".lock"); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %q is served by another process", partywall.ErrRunning, name)
		}
		return nil, fmt.Errorf("serve %q: lock: %w", name, err)
	}
	if err := l.bind(); err != nil {
		return nil, fmt.Errorf("serve %q: %w", name, err)
	}
	return l, nil
}

// lock opens a lock file and locks it for this process: a flock(2) lock belongs to the
// open file, and the kernel ends it with the process. The file stays for ever:
// whoever removed one could remove another server's.
func (d *Dir) lock(file string) (*os.File, error) {
	fd, err := unix.Openat(d.fd, file, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	f := os.NewFile(uintptr(fd), file)
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, os.NewSyscallError("flock", err)
	}
	return f, nil
}

// bind makes the socket under a name of its own, and gives it the name that
// clients look for once it listens: so a client never meets a socket that does
// not listen yet. It holds the lock, so both names are its to replace.
func (l *Listener) bind() error {
	fresh, final := l.stem+".new", l.stem+".sock"
	if err := unix.Unlinkat(l.dir.fd, fresh, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return os.NewSyscallError("unlink", err)
	}
	socket, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: l.dir.at(fresh), Net: "unixpacket"})
	if err != nil {
		return err
	}
	socket.SetUnlinkOnClose(false)
	l.socket = socket
	return os.NewSyscallError("rename", unix.Renameat(l.dir.fd, fresh, l.dir.fd, final))
}

// Accept waits for the next client. The error is [net.ErrClosed] after Close;
// a client of another user is refused with an error that wraps
// [partywall.ErrAccess], after which Accept can go on.
func (l *Listener) Accept() (*Link, error) {
	conn, err := l.socket.AcceptUnix()
	if err != nil {
		return nil, err
	}
	link, err := newLink(conn)
	if err == nil {
		err = link.peer.CheckSameUser()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return link, nil
}

// Close gives the name back: new clients are refused, links go on. It is
// idempotent, but not to be called concurrently with itself.
func (l *Listener) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	var errs []error
	if l.socket != nil {
		if err := unix.Unlinkat(l.dir.fd, l.stem+".sock", 0); err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, os.NewSyscallError("unlink", err))
		}
		errs = append(errs, l.socket.Close())
	}
	if l.lock != nil {
		// Closing alone would keep the name locked for as long as a process that
		// is just being started shares the open file, which is until its exec.
		errs = append(errs, os.NewSyscallError("flock", unix.Flock(int(l.lock.Fd()), unix.LOCK_UN)), l.lock.Close())
	}
	if l.dir != nil {
		errs = append(errs, l.dir.Close())
	}
	return errors.Join(errs...)
}
