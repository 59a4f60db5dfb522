package call

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/rendezvous"
)

// A wire is the socket between two processes without the manners of a
// rendezvous.Link: it sends what it is told to.
type wire struct{ conn *net.UnixConn }

// socketPath is where a service listens: docs/LAYOUT.md, "The run directory".
func socketPath(service string) string {
	return filepath.Join(rendezvous.DirPath(), rendezvous.Stem(service)+".sock")
}

func dialWire(service string) (*wire, error) {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socketPath(service), Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	return &wire{conn}, nil
}

// raw sends one frame as it is, with descriptors.
func (w *wire) raw(frame []byte, files ...*os.File) error {
	var oob []byte
	if len(files) > 0 {
		var fds []int
		for _, f := range files {
			fds = append(fds, int(f.Fd()))
		}
		oob = unix.UnixRights(fds...)
	}
	if len(frame) == 0 {
		return w.rawEmpty(oob)
	}
	_, _, err := w.conn.WriteMsgUnix(frame, oob, nil)
	return w.over(err)
}

// receive returns the victim's next message; none that it sends to a liar has
// more than one page.
func (w *wire) receive() (note, error) {
	in, oob := make([]byte, frameHeader+framePayload), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := w.conn.ReadMsgUnix(in, oob)
	if err == nil && n < frameHeader {
		err = io.EOF
	}
	if err != nil {
		return note{}, w.over(err)
	}
	m := note{kind: in[0], payload: in[frameHeader:n]}
	if oobn > 0 {
		controls, err := unix.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			return note{}, err
		}
		fds, err := unix.ParseUnixRights(&controls[0])
		if err != nil {
			return note{}, err
		}
		m.file = os.NewFile(uintptr(fds[0]), "received")
	}
	return m, nil
}

// over turns the errors of a socket whose other end is closed into errEnded.
func (w *wire) over(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return errEnded
	}
	return err
}

// hangUp closes the socket.
func (w *wire) hangUp() error { return w.conn.Close() }

// deafen ends a receive that waits, and all others.
func (w *wire) deafen() error { return w.conn.SetReadDeadline(time.Unix(1, 0)) }

// ring rings for a peer that sleeps.
func (w *wire) ring() error { return w.send(msgRing, nil) }

// memoryFor makes memory that the victim will take for a control region of that size.
func (w *wire) memoryFor(size int64) (*os.File, error) { return lendable(size) }

const (
	liesEach = 1 // that a process tells
	ease     = 1 // divides what is done very often

	shortHandshakeTime = 500 * time.Millisecond
)

var joinLies []clientLie // a socket is joined by connecting it

// A taking has a service's name.
type taking struct{ *net.UnixListener }

// takeName takes a service's name by force, and is found by who lists names.
func takeName(service string) (*taking, error) {
	path := socketPath(service)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := os.WriteFile(strings.TrimSuffix(path, ".sock")+".lock", []byte(service+"\n"), 0o600); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	return &taking{listener}, err
}

// accept waits for a client.
func (t *taking) accept() (*wire, error) {
	conn, err := t.AcceptUnix()
	return &wire{conn}, err
}

// lendable makes memory of that size as an honest peer does.
func lendable(size int64) (*os.File, error) { return memfd(size, sealSize) }

// notMemory opens something that is no memory.
func notMemory() (*os.File, error) {
	r, _, err := os.Pipe()
	return r, err
}

// mapping maps a region that the liar has lent, so that it can change it as fast as
// memory changes.
func mapping(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

const (
	sealShrink = unix.F_SEAL_SHRINK
	sealGrow   = unix.F_SEAL_GROW
	sealSize   = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
)

// memfd makes memory of a size with seals.
func memfd(size int64, seals int) (*os.File, error) {
	return memfdOf(0, size, seals)
}

func memfdOf(flags int, size int64, seals int) (*os.File, error) {
	fd, err := unix.MemfdCreate("hostile", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|flags)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "hostile")
	if err := f.Truncate(size); err != nil {
		return nil, err
	}
	if seals != 0 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
			return nil, os.NewSyscallError("fcntl F_ADD_SEALS", err)
		}
	}
	return f, nil
}

// readOnly opens sealed memory of that size again, for reading only.
func readOnly(size int64) (*os.File, error) {
	f, err := memfd(size, sealSize)
	if err != nil {
		return nil, err
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
}

// onDisk makes a file of that size that has no name any more.
func onDisk(dir string, size int64) (*os.File, error) {
	f, err := os.CreateTemp(dir, "hostile")
	if err != nil {
		return nil, err
	}
	return f, errors.Join(os.Remove(f.Name()), f.Truncate(size))
}

func held(t testing.TB) map[string]int {
	h := map[string]int{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	h["descriptors"] = len(entries)
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		for _, name := range []string{"partywall", "hostile"} {
			if strings.Contains(line, "memfd:"+name) || strings.Contains(line, "/"+name) {
				h["mappings of "+name]++
			}
		}
	}
	return h
}
