package winmsg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/partywall/partywall/procmem"
)

// A Loan is memory in a window's process for one request. It is valid until the function that was
// given it returns, and for one goroutine at a time.
type Loan struct {
	window *Window
	block  *procmem.Block
	size   int
	flying *journey // the request whose sender has given up
}

// Lend has f use size bytes of the window's process: fill them, send messages that refer to
// them, read what the window has written. It returns f's error, or why there was no
// memory. Bytes that were not written have no defined content.
//
// [Invoke] is a Lend for one struct. What it says of the memory and of errors holds here.
func (w *Window) Lend(ctx context.Context, size int, f func(l *Loan) error) error {
	if size < 0 {
		panic(fmt.Sprintf("winmsg: a loan of %d bytes", size))
	}
	block, err := w.memory.claim(ctx, size)
	if errors.Is(err, os.ErrClosed) {
		return w.closedError()
	}
	if err != nil {
		if gone := w.check(); gone != nil {
			err = gone
		}
		return w.fault("lend memory", err)
	}
	l := &Loan{window: w, block: block, size: size}
	defer l.end()
	return f(l)
}

// end gives the memory back, or has that done when the window has let go of it.
func (l *Loan) end() {
	l.block = nil
	if j := l.flying; j != nil {
		go func() {
			<-j.done
			l.window.memory.release()
		}()
		return
	}
	l.window.memory.release()
}

// Address returns where the memory lies in the window's process.
func (l *Loan) Address() uintptr { return l.block.Address() }

// Size returns how many bytes it has.
func (l *Loan) Size() int { return l.size }

// ReadAt reads what lies at an offset in the memory, as an [io.ReaderAt].
func (l *Loan) ReadAt(b []byte, offset int64) (int, error) {
	if err := l.usable(len(b), offset); err != nil {
		return 0, err
	}
	return l.block.ReadAt(b, offset)
}

// WriteAt writes at an offset in the memory, as an [io.WriterAt].
func (l *Loan) WriteAt(b []byte, offset int64) (int, error) {
	if err := l.usable(len(b), offset); err != nil {
		return 0, err
	}
	return l.block.WriteAt(b, offset)
}

// Send sends a message whose lParam is the address of the byte at offset. An answer of
// -1 is an error that wraps [ErrRefused]. Once the context has ended before the answer has come,
// the memory is the window's, and the loan's methods fail.
func (l *Loan) Send(ctx context.Context, msg Message, wParam uintptr, offset int) (uintptr, error) {
	w := l.window
	if err := l.usable(0, int64(offset)); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, w.fault("send "+msg.String(), err)
	}
	address := l.block.Address() + uintptr(offset)
	var answer uintptr
	var err error
	if ctx.Done() == nil {
		answer, err = w.transmit(msg, wParam, address)
	} else {
		j, departed := w.depart(ctx, msg, func() (uintptr, error) { return w.transmit(msg, wParam, address) })
		if departed != nil {
			return 0, departed
		}
		if _, err := j.arrive(ctx); !j.over() {
			l.flying = j
			return 0, err
		}
		answer, err = j.answer, j.err // it may have come when the context had ended
	}
	if err == nil && answer == Refused {
		err = w.fault("send "+msg.String(), fmt.Errorf("%w: it answered -1", ErrRefused))
	}
	return answer, err
}

// usable reports whether the loan's n bytes at offset can be used.
func (l *Loan) usable(n int, offset int64) error {
	switch {
	case l.block == nil:
		return fmt.Errorf("winmsg: the loan has ended: %w", os.ErrClosed)
	case l.flying != nil:
		return fmt.Errorf("winmsg: the memory is %v's until it has answered: %w", l.window, os.ErrClosed)
	case offset < 0 || int64(n) > int64(l.size)-offset:
		return fmt.Errorf("winmsg: %d bytes at %d of a loan of %d: %w", n, offset, l.size, io.ErrUnexpectedEOF)
	}
	return nil
}
