package call_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

type outcome struct {
	note note
	err  error
}

// hold begins a call that stays in its handler.
func hold(ctx context.Context, c *call.Conn, arg holdArg) chan outcome {
	done := make(chan outcome, 1)
	go func() {
		n, err := holdM.Call(ctx, c, arg)
		done <- outcome{n, err}
	}()
	return done
}

func TestCancelReachesTheHandler(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		for key := uint32(1); key <= 20; key++ {
			ctx, cancel := context.WithCancel(context.Background())
			done := hold(ctx, c, holdArg{Key: key})
			f.seen(other, key, 1, 0)
			cancel()
			wantErr(t, recv(t, done).err, context.Canceled)
			if n := f.seen(other, key, 1, 1); known[n.Err] != context.Canceled || known[n.Cause] != context.Canceled || n.HasDeadline {
				t.Fatalf("the handler saw %+v", n)
			}
		}
		hammer(t, c, 4, 50)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}

// Who gives up before the server has taken the call is heard all the same.
func TestCancelBeforeTheCallIsTaken(t *testing.T) {
	f := startLocal(t, config{})
	c := f.dial()
	await := func(key uint32, ok func(note) bool) {
		t.Helper()
		ctx, cancel := within(proctest.Watchdog)
		defer cancel()
		if _, err := f.host.stage.await(ctx, key, ok); err != nil {
			t.Fatal(err)
		}
	}
	f.host.stage.open(1)
	for round := range uint32(20) {
		for range 60 { // until the method is known to be quick, so that it runs where requests are seen
			if o := recv(t, hold(context.Background(), c, holdArg{Key: 1})); o.err != nil {
				t.Fatal(o.err)
			}
		}
		slow, key := 100+2*round, 101+2*round
		first := hold(context.Background(), c, holdArg{Key: slow, Deaf: true})
		await(slow, func(n note) bool { return n.Held == 1 })
		// For a moment nobody takes requests.
		ctx, cancel := context.WithCancel(context.Background())
		second := hold(ctx, c, holdArg{Key: key})
		for call.FreeSlots(c) != 1022 {
			runtime.Gosched()
		}
		cancel()
		wantErr(t, recv(t, second).err, context.Canceled)
		f.host.stage.open(slow)
		if o := recv(t, first); o.err != nil {
			t.Fatal(o.err)
		}
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
		await(key, func(n note) bool { return n.Left == n.Held })
	}
}

// However many give up at once, every handler is told.
func TestCancelReachesEveryHandler(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		const n = 1000
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var calls []chan outcome
		for range n {
			calls = append(calls, hold(ctx, c, holdArg{Key: 1}))
		}
		f.seen(other, 1, n, 0)
		cancel()
		for _, done := range calls {
			wantErr(t, recv(t, done).err, context.Canceled)
		}
		f.seen(other, 1, n, n)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}

func TestDeadlineReachesTheHandler(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		deadline := time.Now().Add(50 * time.Millisecond)
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		done := hold(ctx, c, holdArg{Key: 1})
		// A handler that returns at once when its own timer fires can be first.
		if err := recv(t, done).err; err != nil {
			wantErr(t, err, context.DeadlineExceeded)
		}
		n := f.seen(other, 1, 1, 1)
		// The handler's own timer or the caller's word, whichever is first.
		if e := known[n.Err]; e != context.DeadlineExceeded && e != context.Canceled || n.Cause != n.Err || !n.HasDeadline {
			t.Fatalf("the handler saw %+v", n)
		}
		if d := time.UnixMicro(n.Deadline).Sub(deadline).Abs(); d > 5*time.Millisecond {
			t.Errorf("the handler's deadline is %v off", d)
		}
	})
}

// A deadline beyond what the clock's numbers hold is one that does not pass.
func TestFarDeadline(t *testing.T) {
	f := startProcess(t, config{})
	c := f.dial()
	for i, d := range []time.Duration{time.Hour, 100 * 365 * 24 * time.Hour, math.MaxInt64} {
		t.Run(d.String(), func(t *testing.T) {
			ctx, cancel := within(d)
			defer cancel()
			key := uint32(i + 1)
			f.open(c, key)
			n, err := holdM.Call(ctx, c, holdArg{Key: key})
			if err != nil {
				t.Fatal(err)
			}
			if n.Err != 0 || !n.HasDeadline || time.Until(time.UnixMicro(n.Deadline)) < d/2 {
				t.Fatalf("the handler saw %+v", n)
			}
		})
	}
	ctx, cancel := context.WithDeadline(context.Background(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	defer cancel()
	f.open(c, 99)
	if n, err := holdM.Call(ctx, c, holdArg{Key: 99}); err != nil || n.Err != 0 {
		t.Fatalf("%+v, %v", n, err)
	}
}

func TestContextHasEndedBefore(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		past, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		defer cancel()
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		for range 3 { // the first asks for the method, too
			_, err := holdM.Call(past, c, holdArg{Key: 1})
			wantErr(t, err, context.DeadlineExceeded)
			wantText(t, err, f.name, "hold")
			_, err = holdM.Call(gone, c, holdArg{Key: 1})
			wantErr(t, err, context.Canceled)
			_, into, err := blobM.CallBody(gone, c, blobArg{Out: 10}, pattern(100, 1), []byte("x"))
			wantErr(t, err, context.Canceled)
			if string(into) != "x" {
				t.Fatalf("into is %q", into)
			}
		}
		if n := f.seen(c, 1, 0, 0); n.Held != 0 {
			t.Errorf("%d handlers have run", n.Held)
		}
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}

// Cancelled at any moment of its way, a call returns the context's error or its
// result, and the conn goes on.
func TestCancelAnywhere(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		for i := range 2000 {
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				for range i % 50 * 10 {
					_ = ctx.Err()
				}
				cancel()
			}()
			switch r, err := addM.Call(ctx, c, [2]int64{int64(i), 1}); {
			case err == nil:
				if r.N != int64(i)+1 {
					t.Fatal(r)
				}
			default:
				wantErr(t, err, context.Canceled)
			}
			cancel()
		}
		hammer(t, c, 4, 50)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}

// A handler may keep its context. It has ended when the call has, and can still
// be asked.
func TestKeptContext(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		deadline, cancel := within(time.Hour)
		defer cancel()
		cancellable, cancel := context.WithCancel(context.Background())
		defer cancel()
		for i, ctx := range []context.Context{cancellable, deadline} {
			if r, err := keepM.Call(ctx, c, number{int64(i)}); err != nil || r.N != 0 {
				t.Fatalf("in the handler: error %d; %v", r.N, err)
			}
			hammer(t, c, 1, 3) // the slot goes on to others
			n, err := keptM.Call(ctx, c, number{int64(i)})
			if err != nil {
				t.Fatal(err)
			}
			if known[n.Err] != context.Canceled || n.Left != 1 || n.HasDeadline != (i == 1) {
				t.Errorf("after the call: %+v", n)
			}
		}
	})
}

// A call without a way to give up has a context all the same: it ends with the
// client.
func TestHandlersContextEndsWithTheClient(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		for key, ctx := range []context.Context{context.Background(), t.Context()} {
			key := uint32(key + 1)
			c, other := f.dial(), f.dial()
			done := hold(ctx, c, holdArg{Key: key})
			f.seen(other, key, 1, 0)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := recv(t, done).err; err != nil { // the handler's last answer can be first
				wantErr(t, err, os.ErrClosed)
			}
			n := f.seen(other, key, 1, 1)
			if got := fmt.Sprint(known[n.Err], "; ", known[n.Cause]); got != "context canceled; partywall: peer gone" {
				t.Errorf("the handler saw %s", got)
			}
		}
	})
}

func TestNestedContexts(t *testing.T) {
	f := startLocal(t, config{})
	c := f.dial()
	type key struct{}
	ctx, cancel := context.WithTimeoutCause(context.WithValue(context.Background(), key{}, 1), proctest.Watchdog, nil)
	defer cancel()
	inner, stop := context.WithCancelCause(ctx)
	done := hold(inner, c, holdArg{Key: 1})
	f.seen(f.dial(), 1, 1, 0)
	stop(fmt.Errorf("of no use: causes do not cross"))
	wantErr(t, recv(t, done).err, context.Canceled)
	f.seen(c, 1, 1, 1)
}
