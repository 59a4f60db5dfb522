package call

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/rendezvous"
)

func lockPath(service string) string {
	return filepath.Join(rendezvous.DirPath(), rendezvous.Stem(service)+".lock")
}

// knock opens the pipe of a service, which its lock file names.
func knock(service string) (pipe windows.Handle, err error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		note, err := os.ReadFile(lockPath(service))
		if err != nil {
			return 0, err
		}
		name, _, _ := strings.Cut(string(note), "\n")
		path, err := windows.UTF16PtrFromString(`\\.\pipe\partywall-` + name)
		if err != nil {
			return 0, err
		}
		pipe, err = windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, 0, 0)
		if err == nil || !errors.Is(err, windows.ERROR_PIPE_BUSY) || time.Now().After(deadline) {
			return pipe, err
		}
	}
}

// A joining is what a client says when it joins.
type joining struct {
	magic                            string
	size                             uint64
	memory, clientEvent, serverEvent uint64
}

func (j joining) bytes() []byte {
	b := append([]byte(nil), j.magic...)
	for _, n := range []uint64{j.size, j.memory, j.clientEvent, j.serverEvent} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

// newJoining makes what an honest client makes, and says so.
func newJoining() (w *wire, j joining, err error) {
	w = &wire{client: true}
	r, err := region.Create("hostile", linkBytes, region.Filled)
	if err != nil {
		return nil, j, err
	}
	w.lay(r)
	for _, event := range []*windows.Handle{&w.event, &w.theirEvent} {
		if *event, err = windows.CreateEvent(nil, 0, 0, nil); err != nil {
			return nil, j, err
		}
	}
	return w, joining{joinMagic, linkBytes, uint64(r.File().Fd()), uint64(w.event), uint64(w.theirEvent)}, nil
}

// dialWire joins as an honest client does.
func dialWire(service string) (*wire, error) {
	w, j, err := newJoining()
	if err != nil {
		return nil, err
	}
	if w.pipe, err = knock(service); err != nil {
		return nil, err
	}
	var pid uint32
	if err := windows.GetNamedPipeServerProcessId(w.pipe, &pid); err != nil {
		return nil, err
	}
	if w.process, err = windows.OpenProcess(windows.SYNCHRONIZE, false, pid); err != nil {
		return nil, err
	}
	if err := tell(w.pipe, j.bytes()); err != nil {
		return nil, err
	}
	got, text, err := answerAt(w.pipe)
	if err == nil && got != served {
		err = fmt.Errorf("%s: %s", got, text)
	}
	return w, errors.Join(err, windows.CloseHandle(w.pipe))
}

func tell(pipe windows.Handle, b []byte) error {
	var done uint32
	return windows.WriteFile(pipe, b, &done, nil)
}

// hear reads so many bytes.
func hear(pipe windows.Handle, n int) ([]byte, error) {
	b := make([]byte, n)
	for at := 0; at < n; {
		var done uint32
		if err := windows.ReadFile(pipe, b[at:], &done, nil); err != nil {
			return b[:at], err
		}
		at += int(done)
	}
	return b, nil
}

// answerAt is what a server says to a client that joins.
func answerAt(pipe windows.Handle) (got outcome, text string, err error) {
	b, err := hear(pipe, answerBytes)
	switch {
	case errors.Is(err, windows.ERROR_BROKEN_PIPE) && len(b) == 0, errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED):
		return ended, "", nil
	case err != nil:
		return "", "", err
	}
	code, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if code == 0 {
		return served, "", nil
	}
	return turnedAway, string(b[8:][:n]), nil
}

// A taking has a service's name.
type taking struct {
	name     string // the pipe's
	visiting sync.Mutex
	next     windows.Handle
	closed   atomic.Bool
}

// takeName takes a service's name by force, and is found by who lists names.
func takeName(service string) (*taking, error) {
	var b [16]byte
	rand.Read(b[:])
	t := &taking{name: hex.EncodeToString(b[:])}
	var err error
	if t.next, err = t.instance(); err != nil {
		return nil, err
	}
	return t, os.WriteFile(lockPath(service), []byte(t.name+"\n"+service+"\n"), 0o600)
}

func (t *taking) path() *uint16 {
	path, err := windows.UTF16PtrFromString(`\\.\pipe\partywall-` + t.name)
	if err != nil {
		panic(err)
	}
	return path
}

func (t *taking) instance() (windows.Handle, error) {
	return windows.CreateNamedPipe(t.path(), windows.PIPE_ACCESS_DUPLEX, windows.PIPE_TYPE_BYTE|windows.PIPE_WAIT,
		windows.PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, nil)
}

// visit waits for somebody at the pipe, and leaves it open to the next.
func (t *taking) visit() (pipe windows.Handle, err error) {
	t.visiting.Lock()
	defer t.visiting.Unlock()
	if t.closed.Load() {
		return 0, net.ErrClosed
	}
	pipe = t.next
	if err := windows.ConnectNamedPipe(pipe, nil); err != nil && !errors.Is(err, windows.ERROR_PIPE_CONNECTED) {
		return 0, err
	}
	if t.closed.Load() {
		return 0, net.ErrClosed
	}
	t.next, err = t.instance()
	return pipe, err
}

// accept waits for a client, and lets it join.
func (t *taking) accept() (*wire, error) {
	w := &wire{}
	var err error
	if w.pipe, err = t.visit(); err != nil {
		return nil, err
	}
	b, err := hear(w.pipe, joinBytes)
	if err != nil {
		return nil, err
	}
	if string(b[:8]) != joinMagic || binary.LittleEndian.Uint64(b[8:]) != linkBytes {
		return nil, fmt.Errorf("the victim joins with % x", b)
	}
	var pid uint32
	if err := windows.GetNamedPipeClientProcessId(w.pipe, &pid); err != nil {
		return nil, err
	}
	if w.process, err = windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_DUP_HANDLE, false, pid); err != nil {
		return nil, err
	}
	memory, err := w.take(binary.LittleEndian.Uint64(b[16:]))
	if err != nil {
		return nil, err
	}
	r, err := region.Accept(memory, linkBytes)
	if err != nil {
		return nil, err
	}
	w.lay(r)
	for i, event := range []*windows.Handle{&w.theirEvent, &w.event} {
		err := windows.DuplicateHandle(w.process, windows.Handle(binary.LittleEndian.Uint64(b[24+8*i:])), windows.CurrentProcess(),
			event, 0, false, windows.DUPLICATE_SAME_ACCESS)
		if err != nil {
			return nil, err
		}
	}
	if err := tell(w.pipe, make([]byte, answerBytes)); err != nil {
		return nil, err
	}
	if b, err := hear(w.pipe, 1); err == nil {
		return nil, fmt.Errorf("the victim says % x when it has joined", b)
	}
	return w, windows.CloseHandle(w.pipe)
}

// Close ends a visit that is waited for, by paying one.
func (t *taking) Close() error {
	t.closed.Store(true)
	if h, err := windows.CreateFile(t.path(), windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, 0, 0); err == nil {
		windows.CloseHandle(h)
	}
	t.visiting.Lock()
	defer t.visiting.Unlock()
	return windows.CloseHandle(t.next)
}

// lendable makes memory of that size as an honest peer does.
func lendable(size int64) (*os.File, error) {
	return sectionOf(windows.InvalidHandle, windows.PAGE_READWRITE, size)
}

// sectionOf makes a section of a file, or of memory.
func sectionOf(file windows.Handle, protect uint32, size int64) (*os.File, error) {
	h, err := windows.CreateFileMapping(file, nil, protect, uint32(size>>32), uint32(size), nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateFileMapping", err)
	}
	return os.NewFile(uintptr(h), "hostile"), nil
}

// again duplicates a handle, with less access if that is not 0.
func again(h windows.Handle, access uint32) (*os.File, error) {
	var options uint32
	if access == 0 {
		options = windows.DUPLICATE_SAME_ACCESS
	}
	self := windows.CurrentProcess()
	var other windows.Handle
	err := windows.DuplicateHandle(self, h, self, &other, access, false, options)
	return os.NewFile(uintptr(other), "hostile"), os.NewSyscallError("DuplicateHandle", err)
}

// mapping maps a region that the liar has lent, so that it can change it as fast as
// memory changes.
func mapping(f *os.File, size int) ([]byte, error) {
	other, err := again(windows.Handle(f.Fd()), 0)
	if err != nil {
		return nil, err
	}
	r, err := region.Accept(other, int64(size))
	if err != nil {
		return nil, err
	}
	return r.Bytes(), nil
}

// notMemory opens something that is no memory.
func notMemory() (*os.File, error) {
	h, err := windows.CreateEvent(nil, 0, 0, nil)
	return os.NewFile(uintptr(h), "event"), err
}

func held(t testing.TB) map[string]int { return proctest.Held(t) }
