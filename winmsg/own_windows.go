package winmsg

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// An OwnWindow is a window of this process, with a thread of its own that takes its
// messages. Handlers run on that thread, one at a time. Its methods may be called
// concurrently, from handlers too.
type OwnWindow struct {
	config   windowConfig
	handle   windows.HWND
	thread   uint32
	handlers atomic.Pointer[map[Message]handler]
	adding   sync.Mutex // guards changes of handlers and texts
	texts    atomic.Pointer[[]text]
	done     chan struct{}

	destroyed atomic.Bool // the window has gone; its thread may still run

	system systemMemory // the thread's
}

// systemMemory is what Windows reads and writes while it may call a window procedure. It must
// not lie on a stack, which can move while a procedure in Go runs; and that a pointer is given to
// a system call does not keep a variable from the stack.
type systemMemory struct {
	title *uint16
	msg   winapi.Msg
	sent  winapi.Msg
	paint winapi.PaintStruct
}

// handler answers a message.
type handler func(wParam, lParam uintptr) uintptr

// NewWindow makes a window. By default it is a top-level window that is not shown; see
// [Visible] and [MessageOnly].
func NewWindow(options ...WindowOption) (*OwnWindow, error) {
	w := &OwnWindow{config: windowConfig{class: "partywall", onError: func(error) {}}, done: make(chan struct{})}
	for _, o := range options {
		o.shape(&w.config)
	}
	switch c := &w.config; {
	case c.visible && c.messageOnly:
		return nil, errors.New("winmsg: a message-only window cannot be visible")
	case c.class == "":
		return nil, errors.New("winmsg: a window's class needs a name")
	case c.width < 0 || c.height < 0:
		return nil, fmt.Errorf("winmsg: a window of %d by %d pixels", c.width, c.height)
	}
	if err := w.config.checkButtons(); err != nil {
		return nil, err
	}
	w.handlers.Store(&map[Message]handler{})
	w.texts.Store(new([]text))
	made := make(chan error)
	go w.run(made)
	if err := <-made; err != nil {
		return nil, fmt.Errorf("winmsg: window %q: %w", w.config.title, err)
	}
	return w, nil
}

// Handle returns the window's handle, an HWND.
func (w *OwnWindow) Handle() uintptr { return uintptr(w.handle) }

// Done returns a channel that is closed when the window has gone: closed by [OwnWindow.Close],
// or by its user.
func (w *OwnWindow) Done() <-chan struct{} { return w.done }

// Close destroys the window and waits until its thread has ended; but a handler, of this window or
// another of this process, does not wait: its thread may be what this one waits for. The handler
// that runs is finished and answers; senders of messages that wait in the queue are told that the
// window has gone.
func (w *OwnWindow) Close() error {
	if w.isOwnThread() {
		if w.destroyed.Load() {
			return nil
		}
		if err := winapi.DestroyWindow(w.handle); err != nil {
			return fmt.Errorf("winmsg: window %q: DestroyWindow: %w", w.config.title, err)
		}
		return nil
	}
	for {
		err := winapi.PostMessage(w.handle, uint32(closeMessage()), 0, 0)
		full := err != nil && !errors.Is(err, windows.ERROR_INVALID_WINDOW_HANDLE)
		if !full { // it has been told, or there is no such window any more and its thread is just ending
			break
		}
		const pause = 10 * time.Millisecond
		select {
		case <-w.done:
		case <-time.After(pause):
		}
	}
	if onWindowThread() {
		return nil
	}
	<-w.done
	return nil
}

// threads are the threads of this process's windows.
var threads sync.Map // uint32 to *OwnWindow

// onWindowThread reports whether this is the thread of a window of this process.
func onWindowThread() bool { return ownOfThread() != nil }

// ownOfThread returns the window of this process whose thread this is, or nil.
func ownOfThread() *OwnWindow {
	w, ok := threads.Load(windows.GetCurrentThreadId())
	if !ok {
		return nil
	}
	return w.(*OwnWindow)
}

func (w *OwnWindow) isOwnThread() bool { return ownOfThread() == w }

// closeMessage asks for the window's end. It is not WM_CLOSE, which a handler may answer.
var closeMessage = sync.OnceValue(func() Message {
	m, err := RegisterMessage("partywall.winmsg.close")
	if err != nil {
		return CloseNow
	}
	return m
})

// run is the window's thread.
func (w *OwnWindow) run(made chan<- error) {
	// Never unlocked: what Windows keeps for the thread is not for others. The thread ends with
	// this goroutine, unless it is the process's first.
	runtime.LockOSThread()
	w.thread = windows.GetCurrentThreadId()
	threads.Store(w.thread, w)
	defer threads.Delete(w.thread)
	if err := w.create(); err != nil {
		made <- err
		return
	}
	defer close(w.done)
	// Anybody can post WM_QUIT, which ends the loop and leaves the window.
	defer w.destroy()
	made <- nil
	m := &w.system.msg
	for {
		more, err := winapi.GetMessage(m, 0, 0, 0)
		if more == 0 || err != nil {
			return
		}
		winapi.TranslateMessage(m)
		winapi.DispatchMessage(m)
	}
}

// destroy destroys the window, if that has not happened.
func (w *OwnWindow) destroy() {
	if !w.destroyed.Load() {
		_ = winapi.DestroyWindow(w.handle)
	}
	ownWindows.Delete(w.handle)
}

func (w *OwnWindow) create() error {
	class, err := registerClass(w.config.class)
	if err != nil {
		return err
	}
	if w.system.title, err = windows.UTF16PtrFromString(w.config.title); err != nil {
		return errors.New("a title cannot have a zero byte")
	}
	var parent windows.HWND
	if w.config.messageOnly {
		parent = winapi.HWND_MESSAGE
	}
	width, height := int32(winapi.CW_USEDEFAULT), int32(winapi.CW_USEDEFAULT)
	if w.config.width > 0 && w.config.height > 0 {
		width, height = int32(w.config.width), int32(w.config.height)
	}
	const anywhere = winapi.CW_USEDEFAULT
	// The title comes last: until then nobody finds the window by it.
	h, err := winapi.CreateWindowEx(0, class, nil, winapi.WS_OVERLAPPEDWINDOW|winapi.WS_CLIPCHILDREN, anywhere, anywhere, width, height, parent, 0, 0, 0)
	if err != nil {
		return fmt.Errorf("CreateWindowEx: %w", err)
	}
	w.handle = h
	if err := w.makeButtons(); err != nil {
		w.destroy()
		return err
	}
	if w.config.prepare != nil {
		w.config.prepare(w)
	}
	ownWindows.Store(h, w)
	if w.config.visible {
		winapi.ShowWindow(h, winapi.SW_SHOWNORMAL)
	}
	if err := winapi.SetWindowText(h, w.system.title); err != nil {
		w.destroy()
		return fmt.Errorf("SetWindowText: %w", err)
	}
	return nil
}

// ownWindows are this process's windows by handle. One procedure serves all of them: a
// process can make about 2,000 callbacks in its life.
var ownWindows sync.Map // windows.HWND to *OwnWindow

var procedure = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(h windows.HWND, msg uint32, wParam, lParam uintptr) uintptr {
		w, ok := ownWindows.Load(h)
		if !ok { // it is just being made, or has just gone
			return winapi.DefWindowProc(h, msg, wParam, lParam)
		}
		return w.(*OwnWindow).procedure(Message(msg), wParam, lParam)
	})
})

// procedure answers a message. A panic must not reach the system's code that has called.
func (w *OwnWindow) procedure(msg Message, wParam, lParam uintptr) (answer uintptr) {
	defer func() {
		if v := recover(); v != nil {
			w.report(fmt.Errorf("the handler of %v panicked: %v\n%s", msg, v, debug.Stack()))
			answer = Refused
		}
	}()
	if msg == winapi.WM_NCDESTROY { // its last, whatever was done with those before
		w.destroyed.Store(true)
		winapi.PostQuitMessage(0)
		return winapi.DefWindowProc(w.handle, uint32(msg), wParam, lParam)
	}
	if msg == Command {
		if b := w.buttonOf(wParam, lParam); b != nil {
			b.press(w)
			return 0
		}
	}
	if h := (*w.handlers.Load())[msg]; h != nil {
		return h(wParam, lParam)
	}
	switch msg {
	case closeMessage():
		_ = winapi.DestroyWindow(w.handle)
		return 0
	case winapi.WM_PAINT:
		w.paint()
		return 0
	case winapi.WM_SETFOCUS:
		if len(w.config.buttons) > 0 { // keys go to a button
			_, _ = winapi.SetFocus(w.config.buttons[0].handle)
			return 0
		}
	}
	return winapi.DefWindowProc(w.handle, uint32(msg), wParam, lParam)
}

// report tells the user's OnError. One that panics is not listened to.
func (w *OwnWindow) report(err error) {
	defer func() { _ = recover() }()
	w.config.onError(fmt.Errorf("winmsg: window %q: %w", w.config.title, err))
}
