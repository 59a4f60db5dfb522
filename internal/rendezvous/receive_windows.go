package rendezvous

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
)

// SetReceiveDeadline bounds the following Receives; the zero time lifts it.
func (l *Link) SetReceiveDeadline(t time.Time) error {
	var n int64
	if !t.IsZero() {
		n = t.UnixNano()
	}
	l.deadline.Store(n)
	poke(l.wake)
	return nil
}

// Interrupt makes a Receive that is waiting return, without closing anything.
func (l *Link) Interrupt() { _ = l.SetReceiveDeadline(time.Unix(1, 0)) }

// Receive returns the next message. The error is [io.EOF] when the peer has
// died or closed its end, and wraps [partywall.ErrProtocol] when it sent
// something that no honest peer sends.
func (l *Link) Receive() (Message, error) {
	for {
		m, got, err := l.poll()
		if !got && err == nil && l.rang.Swap(false) {
			m, got, err = l.poll()
			if !got && err == nil && l.ringKind != 0 { // the signal was for no message
				return Message{Kind: l.ringKind}, nil
			}
		}
		if got {
			// Whoever receives a message looks at everything else too, so that a signal before it is dealt with.
			l.rang.Store(false)
			if m.Kind != kindMake {
				return m, nil
			}
			m, err = l.make(m)
			if m.File != nil || m.Lost != nil {
				return m, err
			}
		} else if err == nil {
			err = l.await()
		}
		if err != nil {
			return Message{}, l.drop(err)
		}
	}
}

// await waits until there may be something to receive.
func (l *Link) await() error {
	var late <-chan time.Time
	if d := l.deadline.Load(); d != 0 {
		left := time.Until(time.Unix(0, d))
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(left)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-l.wake:
		return nil
	case <-l.done:
		return net.ErrClosed
	case <-late:
		return nil // the deadline may be another by now
	}
}

// poll returns a message if one is there.
func (l *Link) poll() (m Message, got bool, err error) {
	if !l.use() {
		return m, false, net.ErrClosed
	}
	defer l.using.RUnlock()
	for {
		over := l.dead.Load() || l.theirs.closed.Load() != 0 // before the look: nothing comes after it
		frame, number, err := l.linkMemory.in.look(l.in)
		switch {
		case err != nil:
			return m, false, err
		case frame == nil && over:
			return m, false, io.EOF
		case frame == nil:
			return m, false, nil
		}
		kind, more, page, err := parseFrame(frame)
		if err == nil && number != 0 {
			err = l.keep(number, kind)
		}
		l.linkMemory.in.next(frame)
		if l.theirs.waits.Load() != 0 {
			_ = windows.SetEvent(l.theirEvent)
		}
		if err != nil {
			return m, false, err
		}
		payload, whole, err := l.pages.add(kind, more, page)
		if err != nil {
			return m, false, err
		}
		if !whole {
			continue
		}
		m = Message{Kind: kind, Payload: payload}
		if !l.pages.open { // else the handle belongs to the unfinished message
			m.File, l.file = l.file, nil
			m.Lost, l.lost = l.lost, nil
		}
		return m, true, nil
	}
}

// keep takes what comes with a frame: at most one handle, with the first page. The server takes it from the
// client; the client gets what it has made itself.
func (l *Link) keep(number uint64, kind uint8) error {
	if l.file != nil || l.lost != nil || l.pages.open {
		return fmt.Errorf("%w: more handles than a message may carry", partywall.ErrProtocol)
	}
	if l.client {
		if l.made == nil {
			return fmt.Errorf("%w: message %d comes with memory that was not made", partywall.ErrProtocol, kind)
		}
		l.file, l.made = l.made, nil
		return nil
	}
	h, err := take(l.process.Handle, number, region.Access)
	if l.theirs.closed.Load() != 0 {
		// With the link it has closed what is on its way: what was taken could be another object, which had the number by then.
		if err == nil {
			_ = windows.CloseHandle(h)
		}
		l.lost = fmt.Errorf("the client has closed the link: %w", io.EOF)
		return nil
	}
	switch {
	case err == nil:
		l.file = os.NewFile(uintptr(h), "lent")
	case l.leaves(err):
		l.lost = fmt.Errorf("the client has left: %w", io.EOF)
	case errors.Is(err, partywall.ErrProtocol):
		return err
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("%w: handle %#x allows less than memory that is lent must: %w", partywall.ErrProtocol, number, err)
	default:
		l.lost = fmt.Errorf("take a handle: %w", err)
	}
	return nil
}

// dying is how long a process whose handles are closed may take to have ended.
const dying = 100 * time.Millisecond

// leaves reports whether a handle could not be taken because its process ends, or has closed the link, with which it
// closes what is on its way. Of a client that dies no handle can be taken; of one that lives, not with
// more rights than it has.
func (l *Link) leaves(err error) bool {
	if !errors.Is(err, partywall.ErrProtocol) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return false
	}
	return l.theirs.closed.Load() != 0 || l.process.EndsWithin(dying)
}

// drop forgets an unfinished message and passes the error on.
func (l *Link) drop(err error) error {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
	l.pages.open, l.lost = false, nil
	return err
}
