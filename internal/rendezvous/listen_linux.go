package rendezvous

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// A Listener holds a name. Close gives it back.
type Listener struct {
	place  Place
	dir    *Dir
	lock   *os.File
	socket *net.UnixListener
	stem   string
	name   string
	closed bool
}

func listen(place Place, name string) (_ *Listener, err error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, err
	}
	l := &Listener{place: place, name: name, stem: fileStem(name)}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.dir, err = place.Open(true); err != nil {
		return nil, fmt.Errorf("serve %q: %w", name, err)
	}
	start, started := l.dir.inheritedStart(l.stem)
	if l.lock, err = l.take(started); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %q is served by another process", partywall.ErrRunning, name)
		}
		return nil, fmt.Errorf("serve %q: lock: %w", name, err)
	}
	if err := l.sign(); err != nil {
		return nil, fmt.Errorf("serve %q: note the name: %w", name, err)
	}
	if err := l.bind(); err != nil {
		return nil, fmt.Errorf("serve %q: %w", name, err)
	}
	if started {
		endInheritedStart(start)
	}
	return l, nil
}

// farewell is how long a server that a client has started, because nobody answered,
// waits for its predecessor to let go of the name: whoever ends loses the socket
// before the lock.
const farewell = 2 * time.Second

// take locks the name.
func (l *Listener) take(started bool) (*os.File, error) {
	patience := time.Now()
	if started {
		patience = patience.Add(farewell)
	}
	for {
		f, err := l.dir.lock(l.stem + ".lock")
		if !errors.Is(err, unix.EWOULDBLOCK) || !time.Now().Before(patience) {
			return f, err
		}
		time.Sleep(time.Millisecond)
	}
}

// sign writes the name into the lock file, for [Names]. Whatever else is there was
// not written by us, and goes.
func (l *Listener) sign() error {
	text := l.name + "\n"
	if signed, err := readNote(l.lock); err == nil && signed == text {
		return nil
	}
	if _, err := l.lock.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return l.lock.Truncate(int64(len(text)))
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
	if l.dir.group != noGroup { // whoever may not write to a socket cannot connect
		if err := unix.Fchmodat(l.dir.fd, fresh, 0o660, 0); err != nil {
			return os.NewSyscallError("chmod", err)
		}
	}
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
		err = l.place.admit(link.peer)
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
		errs = append(errs, unlock(l.lock), l.lock.Close())
	}
	if l.dir != nil {
		errs = append(errs, l.dir.Close())
	}
	return errors.Join(errs...)
}
