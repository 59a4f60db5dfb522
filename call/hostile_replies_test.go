//go:build linux || windows

package call

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// amidst sends frames while a call waits for its answer, which it gets then.
func amidst(frames ...[]byte) func(*lyingServer) error {
	return func(l *lyingServer) error {
		slot, fields, err := l.take()
		if err != nil {
			return err
		}
		for _, f := range frames {
			if err := l.raw(f); err != nil {
				return err
			}
		}
		return l.publish(slot, l.result(slot, fields))
	}
}

func amidstOne(kind uint8, payload []byte) func(*lyingServer) error {
	return amidst(frame(kind, false, payload))
}

// amidstFiles is amidst with a descriptor.
func amidstFiles(f []byte, open func() (*os.File, error)) func(*lyingServer) error {
	return func(l *lyingServer) error {
		if _, _, err := l.take(); err != nil {
			return err
		}
		file, err := open()
		if err != nil {
			return err
		}
		return l.raw(f, file)
	}
}

// resolving answers the first look-up with what change makes of the honest answer.
func resolving(change func(*resolved)) func(*lyingServer) {
	return func(l *lyingServer) {
		answer := l.onResolve
		l.onResolve = func(ask resolve) error {
			l.onResolve = answer
			r := resolved{ID: ask.ID, Method: addNumber}
			change(&r)
			return l.send(msgResolved, encode(r))
		}
	}
}

// lending answers loans with what change makes of the honest answer.
func lending(change func(*lent)) func(*lyingServer) {
	return func(l *lyingServer) {
		l.onLend = func(ask lend) error {
			r := lent{Region: ask.Region}
			change(&r)
			return l.send(msgLent, encode(r))
		}
	}
}

// awaitEnd waits for the conn's end, which must come without a call.
func awaitEnd(ctx context.Context, c *Conn) error {
	select {
	case <-c.Done():
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// replyLies are lies in messages, after the handshake. Those that come amidst a
// call may end it with the answer instead, but always end the conn.
var replyLies = []serverLie{
	{name: "resolved-never-asked", do: awaitEnd, lie: func(l *lyingServer) error {
		return l.send(msgResolved, encode(resolved{ID: 1, Method: addNumber}))
	}},
	{name: "resolved-another-id", prepare: resolving(func(r *resolved) { r.ID++ })},
	{name: "resolved-id-zero", prepare: resolving(func(r *resolved) { r.ID = 0 })},
	{name: "resolved-schemas-garbage", prepare: resolving(func(r *resolved) { r.Arg, r.Result = []byte("garbage"), nil })},
	{name: "resolved-schemas-cut", prepare: resolving(func(r *resolved) {
		r.Arg, r.Result = lieAdd.arg.schema, lieAdd.result.schema[:20]
	})},
	{name: "resolved-schemas-ugly", prepare: resolving(func(r *resolved) {
		r.Arg = []byte(strings.Replace(string(lieAdd.arg.schema), "A", "\x1b", 1))
	})},
	{name: "resolved-document-garbage", prepare: resolving(func(r *resolved) { r.Arg = []byte("pwd\x01\xff\xff") })},
	{name: "resolved-bytes-and-more", prepare: resolving(func(r *resolved) { r.Arg = []byte("pwb\x01\x00") })},
	// A server may say that its types are others, or give any number: it is the
	// one who reads it.
	{name: "resolved-same-schemas", want: errNone, lives: true, prepare: resolving(func(r *resolved) {
		r.Arg, r.Result = lieAdd.arg.schema, lieAdd.result.schema
	})},
	{name: "resolved-other-schema", want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Result = bytesSchema
	})},
	{name: "resolved-in-place", want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) { r.InPlace = true })},
	{name: "resolved-none", want: partywall.ErrNotFound, lives: true, prepare: resolving(func(r *resolved) {
		r.Method, r.Arg, r.Result = 0, []byte("garbage"), nil
	})},
	{name: "resolved-any-number", want: errNone, lives: true, prepare: resolving(func(r *resolved) { r.Method = 1 << 31 })},
	{name: "resolved-twice", want: errNone, lives: true, prepare: func(l *lyingServer) {
		l.onResolve = func(ask resolve) error {
			for n := range uint32(3) {
				if err := l.send(msgResolved, encode(resolved{ID: ask.ID, Method: addNumber + n})); err != nil {
					return err
				}
			}
			return nil
		}
	}},
	{name: "resolved-garbage", prepare: func(l *lyingServer) {
		l.onResolve = func(resolve) error { return l.send(msgResolved, []byte("\xff")) }
	}},
	{name: "resolved-nothing", prepare: func(l *lyingServer) {
		l.onResolve = func(resolve) error { return l.send(msgResolved, nil) }
	}},

	{name: "lent-never-lent", do: awaitEnd, lie: func(l *lyingServer) error { return l.send(msgLent, encode(lent{Region: 1})) }},
	{name: "lent-another-region", do: addBody, prepare: lending(func(r *lent) { r.Region++ })},
	{name: "lent-region-zero", do: addBody, prepare: lending(func(r *lent) { r.Region = 0 })},
	{name: "lent-code-unknown", do: addBody, prepare: lending(func(r *lent) { r.Refuse = refusal{Code: 99, Text: ugly} })},
	{name: "lent-refused", do: addBody, want: partywall.ErrTooLarge, lives: true, prepare: lending(func(r *lent) { r.Refuse = refusal{Code: 6, Text: ugly} })},
	{name: "lent-twice", do: func(ctx context.Context, c *Conn) error {
		if err := addBody(ctx, c); err != nil {
			return err
		}
		return awaitEnd(ctx, c)
	}, prepare: func(l *lyingServer) {
		l.onLend = func(ask lend) error {
			if err := l.send(msgLent, encode(lent{Region: ask.Region})); err != nil {
				return err
			}
			return l.send(msgLent, encode(lent{Region: ask.Region}))
		}
	}},
	{name: "lent-garbage", do: addBody, prepare: func(l *lyingServer) {
		l.onLend = func(lend) error { return l.send(msgLent, []byte("\x61")) }
	}},

	{name: "kind-zero", do: untilEnd, lie: amidstOne(0, nil)},
	{name: "kind-unknown", do: untilEnd, lie: amidstOne(msgBye+1, nil)},
	{name: "kind-welcome-again", do: untilEnd, lie: amidstOne(msgWelcome, encode(honestly))},
	{name: "kind-refuse", do: untilEnd, lie: amidstOne(msgRefuse, encode(refusal{Code: 3}))},
	{name: "kind-of-clients-lend", do: untilEnd, lie: amidstOne(msgLend, encode(lend{Region: 1, Size: 4096}))},
	{name: "kind-of-clients-cancel", do: untilEnd, lie: amidstOne(msgCancel, encode(cancellation{}))},
	{name: "ring-with-content", do: untilEnd, lie: amidstOne(msgRing, []byte("ding"))},
	{name: "ring-flood", want: errNone, lives: true, lie: func(l *lyingServer) error {
		slot, fields, err := l.take()
		if err != nil {
			return err
		}
		for range 50_000 / ease {
			if err := l.send(msgRing, nil); err != nil {
				return err
			}
		}
		return l.publish(slot, l.result(slot, fields))
	}},
	{name: "bye-with-content", do: untilEnd, lie: amidstOne(msgBye, []byte("bye"))},
	{name: "bye-then-gone", want: partywall.ErrShutdown, lie: func(l *lyingServer) error {
		if _, _, err := l.take(); err != nil {
			return err
		}
		if err := l.send(msgBye, nil); err != nil {
			return err
		}
		return l.hangUp()
	}},
	{name: "bye-and-stays", want: errNone, lives: true, lie: amidstOne(msgBye, nil)},

	{name: "descriptor-with-ring", do: untilEnd, lie: amidstFiles(frame(msgRing, false, nil), notMemory)},
	{name: "descriptor-with-unknown", do: untilEnd, lie: amidstFiles(frame(99, false, nil), notMemory)},
	{name: "descriptor-with-garbage", do: untilEnd, lie: amidstFiles([]byte("garbage"), notMemory)},

	{name: "frame-oversized", do: untilEnd, lie: amidst(frame(msgRing, false, make([]byte, 64<<10)))},
	{name: "frame-half-a-header", do: untilEnd, lie: amidst([]byte{msgRing, 0, 0})},
	{name: "frame-length-wrong", do: untilEnd, lie: amidst(frameOf([4]byte{msgRing}, 7, 0))},
	{name: "frame-unknown-flag", do: untilEnd, lie: amidst(frameOf([4]byte{msgRing, 128}, 0, 0))},
	{name: "page-of-another-kind", do: untilEnd, lie: amidst(frame(msgResolved, true, nil), frame(msgLent, true, nil))},
	{name: "pages-without-end", do: untilEnd, lie: func(l *lyingServer) error {
		if _, _, err := l.take(); err != nil {
			return err
		}
		for range rendezvous.MaxPayload/framePayload + 1 {
			if err := l.raw(frame(msgResolved, true, make([]byte, framePayload))); err != nil {
				return err
			}
		}
		return nil
	}},
}

// untilEnd makes one call and waits for the conn's end: the call may have its
// answer before the reader has the lie.
func untilEnd(ctx context.Context, c *Conn) error {
	if err := addOnce(ctx, c); err != nil && c.Err() == nil {
		return fmt.Errorf("%w, though the conn lives", err)
	}
	return awaitEnd(ctx, c)
}
