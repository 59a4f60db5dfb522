package winmsg

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// A Window is a window that messages are sent to, most often another process's. Its methods may be
// called concurrently.
//
// Window handles are reused by the system. A Window belongs to the thread that had it
// when it was opened: when another thread's window has got the handle, or none has it, its methods
// return an error that wraps [partywall.ErrPeerGone].
type Window struct {
	handle windows.HWND
	thread uint32
	pid    uint32

	memory   *memory
	journeys chan struct{} // a token for each message on its way
	cleanup  runtime.Cleanup
}

// Open returns the window with that handle, an HWND.
func Open(handle uintptr) (*Window, error) {
	h := windows.HWND(handle)
	var pid uint32
	thread, err := windows.GetWindowThreadProcessId(h, &pid)
	if err != nil {
		return nil, fmt.Errorf("winmsg: window %#x: %w: %w", handle, partywall.ErrNotFound, err)
	}
	w := &Window{handle: h, thread: thread, pid: pid, memory: newMemory(int(pid)), journeys: make(chan struct{}, maxJourneys)}
	w.cleanup = runtime.AddCleanup(w, func(m *memory) { m.close() }, w.memory)
	return w, nil
}

// Close frees what [Invoke] and [Window.Lend] have in the window's process: a handle of
// it, and memory there. Memory that a message still refers to, because its sender has
// given up, is freed when the window has answered. Calls that come later return
// [os.ErrClosed].
func (w *Window) Close() error {
	w.cleanup.Stop()
	return w.memory.close()
}

// Handle returns the window's handle, an HWND.
func (w *Window) Handle() uintptr { return uintptr(w.handle) }

// PID returns the id of the window's process.
func (w *Window) PID() int { return int(w.pid) }

// Info asks the system about the window.
func (w *Window) Info() (Info, error) {
	if err := w.check(); err != nil {
		return Info{}, err
	}
	i, err := inform(w.handle)
	if err != nil {
		return Info{}, err
	}
	i.Image = imageOf(i.PID)
	hidden, err := messageOnly()
	i.MessageOnly = slices.Contains(hidden, w.handle)
	return i, err
}

// String returns the handle and the process, as error texts show them.
func (w *Window) String() string {
	return fmt.Sprintf("window %#x of process %d", uintptr(w.handle), w.pid)
}

// check reports whether the handle still is the window's.
func (w *Window) check() error {
	var pid uint32
	thread, err := windows.GetWindowThreadProcessId(w.handle, &pid)
	if err != nil || pid != w.pid || thread != w.thread {
		return fmt.Errorf("winmsg: %v: %w", w, partywall.ErrPeerGone)
	}
	return nil
}

// fault says what an error is about.
func (w *Window) fault(what string, err error) error {
	return fmt.Errorf("winmsg: %s to %v: %w", what, w, err)
}

// closedError is for a Window that this process has closed.
func (w *Window) closedError() error {
	return fmt.Errorf("winmsg: %v: %w", w, os.ErrClosed)
}

// registered are the names of registered messages, so that each is asked for once.
var registered sync.Map // string to Message
