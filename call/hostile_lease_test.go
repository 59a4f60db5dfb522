//go:build linux || windows

package call

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/partywall/partywall"
)

type spotLease = Lease[lieSpot, lieSpot]

// leasing is one lease of 1,000 bytes.
func leasing(f func(ctx context.Context, l *spotLease) error) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		return liePlace.Lease(ctx, c, 1000, func(l *spotLease) error { return f(ctx, l) })
	}
}

// giveUp does a call whose context ends before there is an answer.
func giveUp(ctx context.Context, l *spotLease) error {
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := l.Do(short); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("a call that is not answered ends with %w", err)
	}
	l.touch()
	return nil
}

// touch writes all that a lease has.
func (l *Lease[A, R]) touch() {
	var arg A
	var result R
	*l.Arg, *l.Result = arg, result
	clear(l.Body)
}

// giveUpAndDo gives up, and then waits for the old answer and does another call.
func giveUpAndDo(ctx context.Context, l *spotLease) error {
	if err := giveUp(ctx, l); err != nil {
		return err
	}
	err := l.Do(ctx)
	l.touch()
	return err
}

// thenEnds makes calls until the conn has ended, as it must.
func thenEnds(do func(context.Context, *Conn) error) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		if err := do(ctx, c); err != nil && c.Err() == nil {
			return fmt.Errorf("%w, though the conn lives", err)
		}
		return awaitEnd(ctx, c)
	}
}

// givenUp takes a request and waits until its caller has given up.
func (l *lyingServer) givenUp() (slot int, fields requestFields, err error) {
	if slot, fields, err = l.take(); err != nil {
		return slot, fields, err
	}
	select {
	case <-l.cancelled:
		return slot, fields, nil
	case <-l.over:
		return slot, fields, errEnded
	}
}

// late answers the first request, when its caller has given up, under a number that is
// off by some, with what change makes of the honest answer.
func late(off uint32, change func(*responseFields)) func(*lyingServer) error {
	return func(l *lyingServer) error {
		slot, fields, err := l.givenUp()
		if err != nil {
			return err
		}
		answer := l.result(slot, fields)
		change(&answer)
		return l.publishAs(slot, l.seen[slot]+off, answer)
	}
}

func honest(*responseFields) {}

// leaseLies are lies to who keeps a slot and a region from call to call.
var leaseLies = []serverLie{
	{name: "lease-late", do: leasing(giveUpAndDo), want: errNone, lives: true, lie: late(0, honest)},
	{name: "lease-late-kept", do: leasing(giveUpAndDo), want: errNone, lives: true,
		lie: late(0, func(f *responseFields) { f.status, f.bodyLen = statusKept, MaxBody })},
	{name: "lease-late-garbage", do: leasing(giveUpAndDo), want: errNone, lives: true,
		lie: late(0, func(f *responseFields) { *f = responseFields{math.MaxUint32, math.MaxUint32, math.MaxUint64} })},
	{name: "lease-late-one-too-many", do: leasing(giveUpAndDo), lie: late(1, honest)},
	{name: "lease-late-goes-back", do: leasing(giveUpAndDo), lie: late(math.MaxUint32-1, honest)},
	{name: "lease-late-far", do: leasing(giveUpAndDo), lie: late(1<<31, honest)},
	// The old answer again, when the next call has been published: it does not count.
	{name: "lease-late-twice", do: leasing(giveUpAndDo), want: errNone, lives: true, lie: func(l *lyingServer) error {
		if err := late(0, honest)(l); err != nil {
			return err
		}
		slot, fields, err := l.take()
		if err != nil {
			return err
		}
		if err := l.publishAs(slot, l.seen[slot]-1, responseFields{status: statusPanic, resultLen: math.MaxUint32}); err != nil {
			return err
		}
		return l.publish(slot, l.result(slot, fields))
	}},
	{name: "lease-late-then-too-many", do: leasing(giveUpAndDo), lie: func(l *lyingServer) error {
		if err := late(0, honest)(l); err != nil {
			return err
		}
		return numbering(1)(l)
	}},
	{name: "lease-never-answered", do: leasing(giveUpAndDo), want: errNone, lives: true, lie: func(l *lyingServer) error {
		slot, _, err := l.givenUp()
		if err == nil {
			err = l.send(msgRing, nil) // a ring is no answer
		}
		if err == nil {
			err = l.publish(slot, responseFields{status: statusRefused})
		}
		return err
	}},

	// One that ends unanswered leaves its slot and its region alone.
	{name: "lease-left", do: leasing(giveUp), want: errNone, lives: true, lie: func(l *lyingServer) error {
		_, _, err := l.givenUp()
		return err
	}},
	{name: "lease-left-then-late", do: leasing(giveUp), want: errNone, lives: true, lie: late(0, honest)},
	{name: "lease-left-then-kept", do: leasing(giveUp), want: errNone, lives: true,
		lie: late(0, func(f *responseFields) { f.status, f.bodyLen = statusKept, math.MaxUint64 })},
	{name: "lease-left-then-too-many", do: thenEnds(leasing(giveUp)), lie: late(1, honest)},
	{name: "lease-left-then-far", do: thenEnds(leasing(giveUp)), lie: late(1<<31, honest)},
	{name: "lease-left-then-kept-without-end", do: leasing(giveUp), want: errNone, lives: true, lie: func(l *lyingServer) error {
		if err := late(0, func(f *responseFields) { f.status = statusKept })(l); err != nil {
			return err
		}
		for {
			slot, fields, err := l.take()
			switch {
			case err != nil:
				return err
			case fields.flags&flagFetch == 0: // another call
				err = l.publish(slot, l.result(slot, fields))
			case fields.region != 0:
				err = fmt.Errorf("slot %d asks %+v instead of to drop what is kept", slot, fields)
			default:
				return l.publish(slot, responseFields{status: statusKept, bodyLen: math.MaxUint64})
			}
			if err != nil {
				return err
			}
		}
	}},
	// It answers, and then says that it has answered what was not asked.
	{name: "lease-answered-ahead", lie: func(l *lyingServer) error {
		slot, fields, err := l.take()
		if err != nil {
			return err
		}
		if err := l.publish(slot, l.result(slot, fields)); err != nil {
			return err
		}
		return l.publishAs(slot, l.seen[slot]+1, responseFields{status: statusDone})
	}, do: thenEnds(leasing(func(ctx context.Context, l *spotLease) error {
		if err := l.Do(ctx); err != nil {
			return err
		}
		for asked := l.t.slot.seq; l.t.slot.rsp.seq.Load() != asked+1 && ctx.Err() == nil; {
			time.Sleep(time.Millisecond)
		}
		return ctx.Err()
	}))},

	// What a lease has stays mapped until its function returns, whatever becomes of the
	// conn.
	{name: "lease-outlives-the-conn", want: partywall.ErrPeerGone, lie: func(l *lyingServer) error {
		if _, _, err := l.take(); err != nil {
			return err
		}
		return l.hangUp()
	}, do: outliving},
	{name: "lease-outlives-a-lie", lie: numbering(1), do: outliving},
	// All of it can change at any time, while it is leased as well.
	{name: "lease-changes", want: errNone, lives: true, do: leasing(func(ctx context.Context, l *spotLease) error {
		for range changingRounds {
			if err := l.Do(ctx); err != nil {
				return err
			}
			l.touch()
		}
		return nil
	}), lie: changeWhatIsRead},
}

// outliving goes on with a lease when the conn has ended, and is being closed.
func outliving(ctx context.Context, c *Conn) error {
	closed := make(chan struct{})
	err := leasing(func(ctx context.Context, l *spotLease) error {
		err := l.Do(ctx)
		<-c.Done()
		go func() {
			c.Close()
			close(closed)
		}()
		for range 20 {
			l.touch()
			if again := l.Do(ctx); again == nil {
				return errors.New("a call of a conn that has ended succeeds")
			}
			time.Sleep(time.Millisecond)
		}
		select {
		case <-closed:
			return errors.New("Close has not waited for the lease")
		default:
		}
		l.touch()
		return err
	})(ctx, c)
	<-closed
	return err
}
