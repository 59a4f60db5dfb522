package winmsg

import (
	"context"
	"fmt"
	"reflect"

	"github.com/partywall/partywall/internal/fixed"
)

// Invoke is a request with a struct: it writes *arg into a block of memory in the
// window's process, sends msg with the struct's size in wParam and its address there in lParam, and
// reads back into *arg what the window has made of it. It returns the window's answer.
//
// The process is opened and the block allocated at the window's first request, and both are
// kept for the next, until [Window.Close]: then a request is one write, one send, one
// read. Requests to one Window wait for each other; open the window again for more at a
// time.
//
// T has a fixed layout, the same as the other program's struct: padding included, it is T's
// bytes that travel. Invoke panics if T has none.
//
// The error wraps [ErrRefused] if the window answers -1; *arg is as it was then. If
// the context ends first, the error wraps the context's, *arg is as it was, and the
// block is left alone until the window has answered: it may still write there. The next
// request waits for that. Other errors are those of [Window.Send], [partywall.ErrAccess]
// if this process may not open the other's memory, and [partywall.ErrNotSupported] for a
// 64-bit process that a 32-bit one cannot address.
//
// A window that does not know the message answers 0 as well, and leaves *arg unchanged. If that
// matters, give the struct a field that the other program must change.
func Invoke[T any](ctx context.Context, w *Window, msg Message, arg *T) (uintptr, error) {
	layout := layoutOf[T]("Invoke")
	var stack [256]byte
	bytes := stack[:]
	if layout.Size() > len(bytes) {
		bytes = make([]byte, layout.Size())
	}
	bytes = bytes[:layout.Size()]
	layout.Publish(bytes, fixed.Bytes(arg))
	answer, err := w.exchange(ctx, msg, bytes)
	if err == nil {
		layout.Receive(fixed.Bytes(arg), bytes)
	}
	return answer, err
}

// InvokeBytes is [Invoke] for bytes: they are written, and what the window has made of
// them is read back into data.
func InvokeBytes(ctx context.Context, w *Window, msg Message, data []byte) (uintptr, error) {
	return w.exchange(ctx, msg, data)
}

// exchange is Invoke with bytes.
func (w *Window) exchange(ctx context.Context, msg Message, data []byte) (answer uintptr, err error) {
	lent := w.Lend(ctx, len(data), func(l *Loan) error {
		if _, err := l.WriteAt(data, 0); err != nil {
			return err
		}
		if answer, err = l.Send(ctx, msg, uintptr(len(data)), 0); err != nil {
			return err
		}
		_, err := l.ReadAt(data, 0)
		return err
	})
	return answer, lent
}

// layoutOf returns T's layout. A type without one is a mistake in the program.
func layoutOf[T any](function string) *fixed.Type {
	t, err := fixed.Of[T]()
	if err != nil {
		panic(fmt.Sprintf("winmsg.%s: %v has no fixed layout: %v", function, reflect.TypeFor[T](), err))
	}
	return t
}
