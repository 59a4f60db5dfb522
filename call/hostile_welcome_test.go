//go:build linux || windows

package call

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// welcomeOf is a WELCOME with another geometry, and with memory as large as that
// asks for, within reason.
func welcomeOf(change func(*welcome)) func(*lyingServer) error {
	return func(l *lyingServer) error {
		w := honestly
		change(&w)
		size := w.size()
		if size <= 0 || size > 1<<40 {
			size = page64K
		}
		f, err := l.memoryFor(size)
		if err != nil {
			return err
		}
		return l.send(msgWelcome, encode(w), f)
	}
}

// greetRaw sends frames instead of WELCOME.
func greetRaw(frames ...[]byte) func(*lyingServer) error {
	return func(l *lyingServer) error {
		for _, f := range frames {
			if err := l.raw(f); err != nil {
				return err
			}
		}
		return nil
	}
}

func greetWith(kind uint8, v any) func(*lyingServer) error {
	return greetRaw(frame(kind, false, encode(v)))
}

// ugly is a text that a terminal would obey.
const ugly = "\x1b[2J\x1b]0;title\a\r\n\u009b31m\x7f gone"

// welcomeLies are lies in the handshake.
var welcomeLies = []serverLie{
	{name: "no-lie", want: errNone, lives: true},
	{name: "body-no-lie", do: addBody, want: errNone, lives: true},

	{name: "welcome-no-descriptor", greet: greetWith(msgWelcome, honestly)},

	{name: "welcome-slots-zero", greet: welcomeOf(func(w *welcome) { w.Slots = 0 })},
	{name: "welcome-slots-one", greet: welcomeOf(func(w *welcome) { w.Slots = 1 })},
	{name: "welcome-slots-65", greet: welcomeOf(func(w *welcome) { w.Slots = 65 })},
	{name: "welcome-slots-too-many", greet: welcomeOf(func(w *welcome) { w.Slots = maxSlots + 64 })},
	{name: "welcome-slots-huge", greet: welcomeOf(func(w *welcome) { w.Slots = math.MaxUint32 &^ 63 })},
	{name: "welcome-arg-room-zero", greet: welcomeOf(func(w *welcome) { w.ArgRoom = 0 })},
	{name: "welcome-arg-room-small", greet: welcomeOf(func(w *welcome) { w.ArgRoom = minRoom - 64 })},
	{name: "welcome-arg-room-odd", greet: welcomeOf(func(w *welcome) { w.ArgRoom = minRoom + 1 })},
	{name: "welcome-arg-room-large", greet: welcomeOf(func(w *welcome) { w.ArgRoom = maxRoom + 64 })},
	{name: "welcome-arg-room-huge", greet: welcomeOf(func(w *welcome) { w.ArgRoom = math.MaxUint32 &^ 63 })},
	{name: "welcome-result-room-small", greet: welcomeOf(func(w *welcome) { w.ResultRoom = minRoom - 64 })},
	{name: "welcome-result-room-huge", greet: welcomeOf(func(w *welcome) { w.ResultRoom = math.MaxUint32 &^ 63 })},
	{name: "welcome-garbage", greet: greetRaw(frame(msgWelcome, false, []byte("\xff")))},
	{name: "welcome-nothing", greet: greetRaw(frame(msgWelcome, false, nil))},
	{name: "welcome-another-kind", greet: greetRaw(frame(msgRing, false, nil))},
	{name: "welcome-bye", want: partywall.ErrShutdown, greet: greetRaw(frame(msgBye, false, nil))},
	{name: "welcome-of-a-client", greet: greetWith(msgHello, hello{})},
	{name: "welcome-oversized", greet: greetRaw(frame(msgWelcome, false, make([]byte, 64<<10)))},
	{name: "welcome-half-a-header", greet: greetRaw([]byte{msgWelcome})},
	{name: "welcome-pages-without-end", greet: func(l *lyingServer) error {
		for range rendezvous.MaxPayload/framePayload + 1 {
			if err := l.raw(frame(msgWelcome, true, make([]byte, framePayload))); err != nil {
				return err
			}
		}
		return nil
	}},

	// What a server may say of itself.
	{name: "welcome-quota-zero", greet: func(l *lyingServer) error {
		w := honestly
		w.Quota = 0
		return l.greet(w)
	}, do: addBody, want: partywall.ErrTooLarge, lives: true},
	{name: "welcome-quota-huge", greet: func(l *lyingServer) error {
		w := honestly
		w.Quota = math.MaxUint64
		return l.greet(w)
	}, do: addBody, want: errNone, lives: true},

	{name: "refuse-code-zero", greet: greetWith(msgRefuse, refusal{Code: 0})},
	{name: "refuse-code-unknown", greet: greetWith(msgRefuse, refusal{Code: uint32(len(refusals)), Text: ugly})},
	{name: "refuse-code-huge", greet: greetWith(msgRefuse, refusal{Code: math.MaxUint32})},
	{name: "refuse-garbage", greet: greetRaw(frame(msgRefuse, false, []byte("\x61")))},
	{name: "refuse-bad-text", greet: greetRaw(frame(msgRefuse, false, []byte("\xa2\x01\x02\x02\x62\xff\xfe")))},
	{name: "refuse-ugly-text", want: partywall.ErrNotFound, greet: greetWith(msgRefuse, refusal{Code: 2, Text: ugly})},

	{name: "handshake-then-gone", want: partywall.ErrPeerGone, greet: func(l *lyingServer) error { return l.hangUp() }},
	{name: "handshake-stalls", want: os.ErrDeadlineExceeded, greet: func(*lyingServer) error { return nil }},
	{name: "handshake-stalls-halfway", want: os.ErrDeadlineExceeded, greet: greetRaw(frame(msgWelcome, true, []byte("\xa4")))},
	{name: "handshake-drips", want: os.ErrDeadlineExceeded, greet: func(l *lyingServer) error {
		for {
			if err := l.raw(frame(msgWelcome, true, nil)); err != nil {
				return err
			}
		}
	}},
}

// silences are peers that do not answer, after the handshake. The caller's context
// ends the call, not the conn.
var silences = []serverLie{
	{name: "never-answers", want: context.DeadlineExceeded, lives: true, do: shortly(addOnce), lie: func(l *lyingServer) error {
		slot, _, err := l.take()
		if err != nil {
			return err
		}
		// The next call is asked in another slot, since this one is not let go.
		next, fields, err := l.take()
		if err != nil {
			return err
		}
		if slot == next {
			return fmt.Errorf("slot %d is asked again before it is answered", slot)
		}
		if err := l.publish(slot, responseFields{status: statusDone}); err != nil {
			return err
		}
		return l.publish(next, l.result(next, fields))
	}},
	{name: "never-answers-a-look-up", want: context.DeadlineExceeded, lives: true, do: shortly(addOnce), prepare: func(l *lyingServer) {
		answer := l.onResolve
		l.onResolve = func(resolve) error {
			l.onResolve = answer
			return nil
		}
	}},
	{name: "never-answers-a-loan", want: context.DeadlineExceeded, lives: true, do: shortly(addBody), prepare: func(l *lyingServer) {
		l.onLend = func(lend) error { return nil }
	}},
	{name: "never-answers-a-fetch", want: context.DeadlineExceeded, lives: true, do: shortly(addBody), lie: func(l *lyingServer) error {
		slot, _, err := l.take()
		if err != nil {
			return err
		}
		if err := l.publish(slot, responseFields{status: statusKept, resultLen: 8, bodyLen: 1000}); err != nil {
			return err
		}
		fetch, fields, err := l.take()
		if err == nil && (fetch != slot || fields.flags&flagFetch == 0) {
			err = fmt.Errorf("slot %d asks %+v instead of a fetch", fetch, fields)
		}
		return err
	}},
	// One who does not even read: what cannot be sent holds nobody up beyond the
	// context.
	{name: "never-reads", want: os.ErrClosed, do: func(ctx context.Context, c *Conn) error {
		for range 600 { // more than fit into the socket's buffer
			giveUp, cancel := context.WithTimeout(ctx, time.Millisecond)
			err := addOnce(giveUp, c)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
		if err := shortly(addBody)(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("with a body: %w", err)
		}
		if err := shortly(keepAsked(1))(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("with a look-up: %w", err)
		}
		c.Close()
		return c.Err()
	}, lie: func(l *lyingServer) error {
		if _, _, err := l.take(); err != nil {
			return err
		}
		if err := l.deafen(); err != nil {
			return err
		}
		<-enough
		return nil
	}},
	{name: "gone-in-a-call", want: partywall.ErrPeerGone, lie: func(l *lyingServer) error {
		if _, _, err := l.take(); err != nil {
			return err
		}
		return l.hangUp()
	}},
}
