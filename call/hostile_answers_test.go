//go:build linux || windows

package call

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/partywall/partywall"
)

// shortly has do give up soon, or the test would wait as long as its patience.
func shortly(do func(context.Context, *Conn) error) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		return do(ctx, c)
	}
}

// answering answers the first request with what change makes of the honest answer.
func answering(change func(*responseFields)) func(*lyingServer) error {
	return func(l *lyingServer) error {
		slot, fields, err := l.take()
		if err != nil {
			return err
		}
		answer := l.result(slot, fields)
		change(&answer)
		return l.publish(slot, answer)
	}
}

// numbering answers the first request under a number that is off by some.
func numbering(off uint32) func(*lyingServer) error {
	return func(l *lyingServer) error {
		slot, fields, err := l.take()
		if err != nil {
			return err
		}
		return l.publishAs(slot, l.seen[slot]+off, l.result(slot, fields))
	}
}

// saying answers the first request with a text.
func saying(status uint32, text string) func(*lyingServer) error {
	return func(l *lyingServer) error {
		slot, _, err := l.take()
		if err != nil {
			return err
		}
		n := copy(l.slot(slot).result, text)
		return l.publish(slot, responseFields{status: status, resultLen: uint32(n)})
	}
}

// addTwice is two calls, the second through a caller that parks if the first did
// not.
func addTwice(ctx context.Context, c *Conn) error {
	return errors.Join(addOnce(ctx, c), addOnce(ctx, c))
}

// errorIsClean expects an error of the handler whose text can be printed.
func errorIsClean(ctx context.Context, c *Conn) error {
	err := addOnce(ctx, c)
	remote := (*RemoteError)(nil)
	switch {
	case !errors.As(err, &remote):
		return fmt.Errorf("got %w, want a RemoteError", err)
	case !utf8.ValidString(remote.Message) || cleanText(remote.Message) != remote.Message || strings.ContainsAny(remote.Message, "\x1b\r\n\a"):
		return fmt.Errorf("%w: the text %q", errWrong, remote.Message)
	}
	return nil
}

// answerLies are lies in the words of a control region.
var answerLies = []serverLie{
	{name: "seq-one-too-many", lie: numbering(1)},
	{name: "seq-far", lie: numbering(1 << 31)},
	{name: "seq-goes-back", lie: numbering(math.MaxUint32 - 1)},
	{name: "seq-goes-back-later", do: addTwice, lie: func(l *lyingServer) error {
		if err := answering(func(*responseFields) {})(l); err != nil {
			return err
		}
		return numbering(math.MaxUint32 - 1)(l)
	}},
	// The sleeping watcher has to notice as well as the caller that spins.
	{name: "seq-jumps-under-many-callers", lie: func(l *lyingServer) error {
		for range 8 {
			if _, _, err := l.take(); err != nil {
				return err
			}
		}
		return l.publishAs(3, l.seen[3]+1, responseFields{status: statusDone})
	}, do: func(ctx context.Context, c *Conn) error {
		errs := make(chan error)
		for range 8 {
			go func() { errs <- addOnce(ctx, c) }()
		}
		var last error
		for range 8 {
			err := <-errs
			if !errors.Is(err, partywall.ErrProtocol) {
				return fmt.Errorf("one of the callers got %v", err)
			}
			last = err
		}
		return last
	}},
	// It does not go on to answer the question, which could hide the lie from a
	// client that looks late.
	{name: "seq-ahead-of-the-question", lie: func(l *lyingServer) error {
		if err := l.publishAs(0, 2, responseFields{status: statusDone}); err != nil {
			return err
		}
		<-l.over
		return errEnded
	}},
	// The answer is the server's to give, whenever; it may be wrong, or late enough
	// to be right.
	{name: "answers-before-asked", want: errNone, lives: true, do: func(ctx context.Context, c *Conn) error {
		if err := addOnce(ctx, c); !errors.Is(err, errWrong) {
			return err
		}
		return nil
	}, prepare: func(l *lyingServer) {
		answer := l.onResolve
		l.onResolve = func(r resolve) error {
			err := l.publishAs(0, 1, responseFields{status: statusDone, resultLen: 8})
			return errors.Join(err, answer(r))
		}
	}},

	{name: "status-zero", lie: answering(func(f *responseFields) { f.status = 0 })},
	{name: "status-unknown", lie: answering(func(f *responseFields) { f.status = 100 })},
	{name: "status-huge", lie: answering(func(f *responseFields) { f.status = math.MaxUint32 })},
	{name: "resultlen-one-more", lie: answering(func(f *responseFields) { f.resultLen++ })},
	{name: "resultlen-huge", lie: answering(func(f *responseFields) { f.resultLen = math.MaxUint32 })},
	{name: "resultlen-of-error-one-more", lie: answering(func(f *responseFields) { f.status, f.resultLen = statusError, minRoom+1 })},
	{name: "resultlen-of-error-huge", lie: answering(func(f *responseFields) { f.status, f.resultLen = statusError, math.MaxUint32 })},
	{name: "resultlen-of-panic-huge", lie: answering(func(f *responseFields) { f.status, f.resultLen = statusPanic, math.MaxUint32 })},

	{name: "ugly-error", do: errorIsClean, want: errNone, lives: true, lie: saying(statusError, ugly)},
	{name: "ugly-error-bad-text", do: errorIsClean, want: errNone, lives: true, lie: saying(statusError, "\xff\xfe\x80\xed\xa0\x80"+ugly)},
	{name: "ugly-error-full", do: errorIsClean, want: errNone, lives: true, lie: saying(statusPanic, strings.Repeat(ugly, 100))},
	{name: "ugly-quota", want: partywall.ErrTooLarge, lives: true, lie: saying(statusQuota, ugly)},

	{name: "first-page", want: errNone, lives: true, do: func(ctx context.Context, c *Conn) error {
		var err error
		for range 200 {
			err = errors.Join(err, addOnce(ctx, c))
		}
		return err
	}, lie: func(l *lyingServer) error {
		for range 200 {
			slot, fields, err := l.take()
			if err != nil {
				return err
			}
			l.scribbleFirstPage(func(at int) bool { return at == serverBellOffset })
			if err := l.publish(slot, l.result(slot, fields)); err != nil {
				return err
			}
		}
		return nil
	}},
	// The server's scribbles on the client's words change nothing: they are never
	// read back.
	{name: "clients-words", want: errNone, lives: true, do: func(ctx context.Context, c *Conn) error {
		var err error
		for range 200 {
			err = errors.Join(err, addBody(ctx, c), addOnce(ctx, c))
		}
		return err
	}, lie: func(l *lyingServer) error {
		for i := range uint32(200) {
			slot, fields, err := l.take()
			if err != nil {
				return err
			}
			answer := l.result(slot, fields)
			l.clientBell.Store(i | 1)
			l.pending[0].Store(uint64(i) * 0x0101010101010101)
			req := l.slot(slot).req
			req.waits.Store(i)
			req.requestFields = requestFields{method: i, region: i, bodyLen: math.MaxUint64}
			if err := l.publish(slot, answer); err != nil {
				return err
			}
		}
		return nil
	}},
}

// keepAsked asks for a result that the server keeps.
func keepAsked(n int64) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		_, body, err := lieKeep.CallBody(ctx, c, liePair{n, 0}, nil, nil)
		if err == nil && int64(len(body)) != n {
			err = fmt.Errorf("%w: a body of %d bytes, want %d", errWrong, len(body), n)
		}
		return err
	}
}

// keeping answers the first request with KEPT and n bytes, and the fetch with
// what change makes of the honest answer.
func keeping(n uint64, change func(*responseFields)) func(*lyingServer) error {
	return func(l *lyingServer) error {
		if err := answering(func(f *responseFields) { f.status, f.bodyLen = statusKept, n })(l); err != nil {
			return err
		}
		return answering(func(f *responseFields) {
			f.status, f.resultLen, f.bodyLen = statusDone, 0, n
			change(f)
		})(l)
	}
}

// keptLies are lies about the bodies of results.
var keptLies = []serverLie{
	{name: "result-body-one-more", do: addBody, lie: answering(func(f *responseFields) { f.bodyLen = 1 << 16 })},
	{name: "result-body-huge", do: addBody, lie: answering(func(f *responseFields) { f.bodyLen = math.MaxUint64 })},
	{name: "result-body-wraps", do: addBody, lie: answering(func(f *responseFields) { f.bodyLen = math.MaxUint64 - 40_000 })},
	{name: "result-body-unasked", want: errNone, lives: true, lie: answering(func(f *responseFields) { f.bodyLen = math.MaxUint64 })},
	{name: "kept-no-lie", do: keepAsked(200_000), want: errNone, lives: true, lie: keeping(200_000, func(*responseFields) {})},
	{name: "kept-unasked", want: errNone, lives: true, lie: answering(func(f *responseFields) { f.status, f.bodyLen = statusKept, 1<<40 })},
	{name: "kept-one-too-many", do: keepAsked(200_000), lie: answering(func(f *responseFields) { f.status, f.bodyLen = statusKept, MaxBody+1 })},
	{name: "kept-huge", do: keepAsked(200_000), lie: answering(func(f *responseFields) { f.status, f.bodyLen = statusKept, math.MaxUint64 })},
	{name: "kept-negative", do: keepAsked(200_000), lie: answering(func(f *responseFields) { f.status, f.bodyLen = statusKept, 1<<63 })},
	// The client lends no more than the server has said that it may.
	{name: "kept-over-quota", do: keepAsked(200_000), want: partywall.ErrTooLarge, lives: true,
		lie: answering(func(f *responseFields) { f.status, f.bodyLen = statusKept, MaxBody })},
	{name: "fetch-brings-less", do: keepAsked(200_000), lie: keeping(200_000, func(f *responseFields) { f.bodyLen-- })},
	{name: "fetch-brings-more", do: keepAsked(200_000), lie: keeping(200_000, func(f *responseFields) { f.bodyLen++ })},
	{name: "fetch-brings-huge", do: keepAsked(200_000), lie: keeping(200_000, func(f *responseFields) { f.bodyLen = math.MaxUint64 })},
	{name: "fetch-is-kept-again", do: keepAsked(200_000), lie: keeping(200_000, func(f *responseFields) { f.status = statusKept })},
	{name: "fetch-fails", do: keepAsked(200_000), lie: keeping(200_000, func(f *responseFields) { f.status = statusError })},
	{name: "fetch-resultlen-huge", do: keepAsked(200_000), lie: keeping(200_000, func(f *responseFields) { f.resultLen = math.MaxUint32 })},
}
