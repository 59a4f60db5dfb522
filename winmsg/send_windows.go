package winmsg

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/winapi"
)

// RegisterMessage returns the message that all programs of the desktop get for the same
// name: a number that no other name has. From [User] to 0x7fff a message means what the
// receiver's class says; a registered one means the same to everybody.
func RegisterMessage(name string) (Message, error) {
	if m, ok := registered.Load(name); ok {
		return m.(Message), nil
	}
	text, err := windows.UTF16PtrFromString(name)
	if err != nil || name == "" {
		return 0, fmt.Errorf("winmsg: %q is no name for a message", name)
	}
	m, err := winapi.RegisterWindowMessage(text)
	if err != nil {
		return 0, fmt.Errorf("winmsg: RegisterWindowMessage %q: %w", name, err)
	}
	registered.Store(name, Message(m))
	return Message(m), nil
}

// Send sends a message, waits until the window has dealt with it, and returns its
// answer. wParam and lParam are numbers: what lies at an address of this process is not
// there for the other one. [Window.Lend] is for memory.
//
// The window's thread takes the message when it next looks for messages. It may take as long as it
// likes: Send waits until the context ends, and then returns an error that wraps the
// context's. The message stays: the window gets it all the same when it looks again, and
// until then a thread of this process waits for that. At most 64 messages to one Window can be on
// their way with contexts that can end; more wait for their turn. Without an end of the context,
// Send ends when the window does.
//
// Other errors wrap [partywall.ErrPeerGone] if the window has gone, before or in the
// middle, and [partywall.ErrAccess] if its process has a higher integrity level than this
// one and does not let the message through.
//
// A handler of a window of this process may Send: while it waits, its window takes what others send to
// it, so that the receiver can ask back, and handlers run within one another. But a handler must not
// Send to its own window with a context that can end, nor use memory of a [Window] that
// a handler below it uses: it would wait for itself.
func (w *Window) Send(ctx context.Context, msg Message, wParam, lParam uintptr) (uintptr, error) {
	if err := ctx.Err(); err != nil {
		return 0, w.fault("send "+msg.String(), err)
	}
	if ctx.Done() == nil {
		return w.transmit(msg, wParam, lParam)
	}
	j, err := w.depart(ctx, msg, func() (uintptr, error) { return w.transmit(msg, wParam, lParam) })
	if err != nil {
		return 0, err
	}
	return j.arrive(ctx)
}

// Post leaves a message in the queue of the window's thread and does not wait. The
// errors are those of [Window.Send], and one that says that the queue is full: it holds
// 10,000 messages.
func (w *Window) Post(msg Message, wParam, lParam uintptr) error {
	if err := w.check(); err != nil {
		return err
	}
	if err := winapi.PostMessage(w.handle, uint32(msg), wParam, lParam); err != nil {
		return w.explain("post "+msg.String(), err)
	}
	return nil
}

// Poster returns a function that posts the message, with zeros as its parameters, and does not wait. It
// is for what tells others that something has happened, such as a section's stores:
//
//	s, err := section.Open[State]("state", section.Notify(window.Poster(winmsg.User+100)))
//
// A message that cannot be posted, because the window has gone or its queue is full, is lost, and
// nobody is told: use [Window.Post] to know. The function may be called concurrently, also
// when the Window has been closed.
func (w *Window) Poster(msg Message) func() {
	return func() { _ = w.Post(msg, 0, 0) }
}

// IsHung reports whether the window's thread has not looked for messages for five
// seconds: Windows' own word for a program that does not respond. It may just compute.
func (w *Window) IsHung() bool { return winapi.IsHungAppWindow(w.handle) }

// transmit sends a message from this thread and waits for the answer as long as it
// takes. The system ends the wait when the window's thread ends.
//
// SMTO_ABORTIFHUNG is not used: it would return while the message, and the memory that it
// refers to, are still the window's, and it takes who computes for five seconds for hung.
func (w *Window) transmit(msg Message, wParam, lParam uintptr) (uintptr, error) {
	if err := w.check(); err != nil {
		return 0, err
	}
	// Not on the stack, which moves if the window is this thread's and its procedure needs more
	// of it.
	answer := answers.Get().(*uintptr)
	defer answers.Put(answer)
	const ever = math.MaxInt32 // milliseconds
	ok, err := winapi.SendMessageTimeout(w.handle, uint32(msg), wParam, lParam, winapi.SMTO_NORMAL|winapi.SMTO_ERRORONEXIT, ever, answer)
	if ok == 0 {
		return 0, w.explain("send "+msg.String(), err)
	}
	return *answer, nil
}

var answers = sync.Pool{New: func() any { return new(uintptr) }}

// explain says why a message did not arrive, or was not answered.
func (w *Window) explain(what string, err error) error {
	if gone := w.check(); gone != nil {
		return fmt.Errorf("%w (%s: %w)", gone, what, err)
	}
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		err = fmt.Errorf("%w: %w: its process may have a higher integrity level; run this program as high, or have it allow the message with ChangeWindowMessageFilterEx", partywall.ErrAccess, err)
	}
	return w.fault(what, err)
}

// A journey is a message on its way, sent by a goroutine of its own: the wait for a
// window's answer cannot be cut short, but whoever waits for the journey can leave.
type journey struct {
	window *Window
	msg    Message
	done   chan struct{} // closed when the window has let go of the message
	answer uintptr
	err    error
}

// maxJourneys is how many messages to one Window can be on their way with contexts that
// can end. Each has a thread, of which Go allows a process 10,000, and a hung window may never give
// one back.
const maxJourneys = 64

// depart has send send the message.
func (w *Window) depart(ctx context.Context, msg Message, send func() (uintptr, error)) (*journey, error) {
	select {
	case w.journeys <- struct{}{}:
	default:
		select {
		case w.journeys <- struct{}{}:
		case <-ctx.Done():
			return nil, w.fault("send "+msg.String(), fmt.Errorf("%d earlier messages are not answered: %w", maxJourneys, ctx.Err()))
		}
	}
	j := &journey{window: w, msg: msg, done: make(chan struct{})}
	go func() {
		j.answer, j.err = send()
		<-w.journeys
		close(j.done)
	}()
	return j, nil
}

// arrive waits for the answer, or until the context has ended.
func (j *journey) arrive(ctx context.Context) (uintptr, error) {
	if own := ownOfThread(); own != nil {
		own.takeSent(ctx, j)
	}
	select {
	case <-j.done:
		return j.answer, j.err
	default:
	}
	select {
	case <-j.done:
		return j.answer, j.err
	case <-ctx.Done():
		err := ctx.Err()
		if j.window.IsHung() {
			err = fmt.Errorf("%w; the window's thread has not looked for messages for five seconds or more", err)
		}
		return 0, j.window.fault("send "+j.msg.String(), err)
	}
}

// over reports whether the window has let go of the message.
func (j *journey) over() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// takeSent takes the messages that are sent to this thread's windows until the journey is over or the
// context has ended, as the system does for who waits in SendMessage: the receiver may have to ask
// back before it can answer.
func (w *OwnWindow) takeSent(ctx context.Context, j *journey) {
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return // it waits without
	}
	var waiters sync.WaitGroup
	left := make(chan struct{})
	waiters.Go(func() {
		select {
		case <-j.done:
		case <-ctx.Done():
		case <-left:
		}
		windows.SetEvent(event)
	})
	for !j.over() && ctx.Err() == nil {
		if _, err := winapi.MsgWaitForMultipleObjectsEx(1, &event, windows.INFINITE, winapi.QS_SENDMESSAGE, 0); err != nil {
			break
		}
		winapi.PeekMessage(&w.system.sent, 0, 0, 0, winapi.PM_NOREMOVE|winapi.PM_SENT_ONLY)
	}
	close(left)
	waiters.Wait()
	windows.CloseHandle(event)
}
