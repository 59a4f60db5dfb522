package call_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
	"github.com/partywall/partywall/internal/proctest"
)

func TestQuota(t *testing.T) {
	eachWay(t, config{Quota: 1 << 20}, func(t *testing.T, f *fixture) {
		c := f.dial()
		blob(t, c, 10, -1, 0) // leaves a region that has to go for what comes next
		blob(t, c, 1<<20, 0, 0)
		blob(t, c, 1<<20, -1, 1<<20) // room for the result is only a wish
		blob(t, c, 0, 1<<20, 0)
		blob(t, c, 0, 1<<20, 1<<20)
		blob(t, c, 1<<20, 1<<20, 0) // one after the other

		_, _, err := blobM.CallBody(context.Background(), c, blobArg{}, pattern(1<<20+1, 1), nil)
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, "call.Quota", "1048576", f.name, "blob")

		into := []byte("x")
		_, into, err = blobM.CallBody(context.Background(), c, blobArg{Out: 1<<20 + 1}, nil, into)
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, "call.Quota", "1048577", "1048576", f.name, "blob")
		if string(into) != "x" {
			t.Errorf("into is %q", into)
		}
		_, err = blobM.Call(context.Background(), c, blobArg{Out: 1<<20 + 1})
		wantErr(t, err, partywall.ErrTooLarge)

		_, _, err = blobM.CallBody(context.Background(), c, blobArg{Out: call.MaxBody + 1}, nil, nil)
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, "1073741825", "1073741824")

		blob(t, c, 1<<20, 1<<20, 0) // the conn is as good as before
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}

// A quota that is no multiple of what regions are rounded to holds what it says.
func TestOddQuotas(t *testing.T) {
	for _, quota := range []int64{1, 1000, 65535, 65537, 100_000, 1<<20 + 1} {
		f := startLocal(t, config{Quota: quota})
		c := f.dial()
		blob(t, c, 0, 0, 0)
		blob(t, c, 1, -1, 0)
		blob(t, c, int(quota), -1, 0)
		blob(t, c, 0, int(quota), 0)
		_, _, err := blobM.CallBody(context.Background(), c, blobArg{}, pattern(int(quota)+1<<17, 1), nil)
		wantErr(t, err, partywall.ErrTooLarge)
		c.Close()
		if err := f.host.end(); err != nil {
			t.Fatal(err)
		}
	}
}

// Two calls whose bodies do not fit into the quota together run one after the
// other, and either can stop waiting.
func TestWaitForQuota(t *testing.T) {
	eachWay(t, config{Quota: 1 << 20}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		body := pattern(700_000, 1)
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			_, _, err := blobM.CallBody(context.Background(), c, blobArg{Hold: 1, Out: -1}, body, nil)
			first <- err
		}()
		f.seen(other, 1, 1, 0)
		go func() {
			_, _, err := blobM.CallBody(context.Background(), c, blobArg{Out: -1}, body, nil)
			second <- err
		}()
		eventually(t, "the second waits", func() bool { return call.QuotaWaiters(c) })

		ctx, cancel := context.WithCancel(context.Background())
		third := make(chan error, 1)
		go func() {
			_, _, err := blobM.CallBody(ctx, c, blobArg{Out: -1}, body, nil)
			third <- err
		}()
		eventually(t, "three calls have slots", func() bool { return call.FreeSlots(c) == 1021 })
		cancel()
		wantErr(t, recv(t, third), context.Canceled)
		hammer(t, c, 4, 20) // calls without bodies do not wait
		blob(t, other, len(body), len(body), 0)

		select {
		case err := <-second:
			t.Fatalf("the second did not wait: %v", err)
		default:
		}
		f.open(other, 1)
		if err := recv(t, first); err != nil {
			t.Fatal(err)
		}
		if err := recv(t, second); err != nil {
			t.Fatal(err)
		}
	})
}

// meetM returns so many bytes. With less than none it waits until so many handlers are
// in it.
var meetM = call.NewMethod[int64, string]("meet")

// A guess at the room for a result makes nobody wait for quota: those who have it may
// wait for those who have not.
func TestGuessedRoomWaitsForNobody(t *testing.T) {
	const callers = 8
	type round struct {
		inside atomic.Int64
		all    chan struct{}
	}
	var now atomic.Pointer[round]
	s := calltest.Start(t, func(srv *call.Server) {
		meetM.Handle(srv, func(ctx context.Context, in *call.In[int64], out *call.Out[string]) error {
			if r := now.Load(); in.Arg < 0 {
				if r.inside.Add(1) == -in.Arg {
					close(r.all)
				}
				select {
				case <-r.all:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			out.Result = strings.Repeat("x", int(max(in.Arg, 0)))
			return nil
		})
	}, call.Quota(1<<20))
	c := s.Dial()
	ctx, cancel := within(proctest.Watchdog / 3)
	defer cancel()
	long := func() {
		if got, err := meetM.Call(ctx, c, 900_000); err != nil || len(got) != 900_000 {
			t.Fatal(len(got), err)
		}
	}
	long()
	now.Store(&round{all: make(chan struct{})})
	var pending []*call.Pending[string]
	for i := range callers {
		if i%2 == 0 {
			pending = append(pending, meetM.Go(ctx, c, -callers))
		} else {
			pending = append(pending, meetM.GoBody(ctx, c, -callers, nil, nil))
		}
	}
	for _, p := range pending {
		if got, err := p.Wait(); err != nil || got != "" {
			t.Fatal(got, err)
		}
	}
	long()

	// Nor does one long result have those after it claim as much for ever.
	if _, err := meetM.Call(ctx, c, 1); err != nil {
		t.Fatal(err)
	}
	warm, _ := call.Warm(c)
	r := &round{all: make(chan struct{})}
	now.Store(r)
	first := meetM.Go(ctx, c, -2)
	eventually(t, "the handler runs", func() bool { return r.inside.Load() == 1 })
	if got, _ := call.Warm(c); got != warm || warm == 0 {
		t.Errorf("%d of %d regions are warm while a short call runs", got, warm)
	}
	if _, err := meetM.Call(ctx, c, -2); err != nil {
		t.Error(err)
	}
	if _, err := first.Wait(); err != nil {
		t.Error(err)
	}
}

// Room that the caller asks for is worth a wait: results that find none count against
// what the server keeps.
func TestAskedRoomIsWaitedFor(t *testing.T) {
	f := startLocal(t, config{Quota: 1 << 20})
	c := f.dial()
	giveBack := call.TakeQuota(c, 900_000)
	done := make(chan error, 1)
	go func() {
		_, got, err := blobM.CallBody(context.Background(), c, blobArg{Out: 800_000}, nil, make([]byte, 0, 800_000))
		if err == nil && len(got) != 800_000 {
			err = fmt.Errorf("%d bytes", len(got))
		}
		done <- err
	}()
	eventually(t, "the call waits", func() bool { return call.QuotaWaiters(c) })
	if n := call.Kept(f.host.srv); n != 0 {
		t.Errorf("%d bytes are kept", n)
	}
	giveBack()
	if err := recv(t, done); err != nil {
		t.Fatal(err)
	}
}

// A result that is kept counts against the quota until it is fetched, and a
// caller that gives up before does not leave it there.
func TestKeptResultIsDropped(t *testing.T) {
	f := startLocal(t, config{Quota: 1 << 20})
	c := f.dial()
	for range 20 {
		giveBack := call.TakeQuota(c, 900_000) // the fetch has to wait
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, _, err := blobM.CallBody(ctx, c, blobArg{Out: 800_000}, nil, nil)
			done <- err
		}()
		eventually(t, "the fetch waits", func() bool { return call.QuotaWaiters(c) })
		if n := call.Kept(f.host.srv); n != 800_000 {
			t.Errorf("%d bytes are kept", n)
		}
		cancel()
		wantErr(t, recv(t, done), context.Canceled)
		giveBack()
		eventually(t, "nothing is kept", func() bool { return call.Kept(f.host.srv) == 0 })
	}
	eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	blob(t, c, 10, 1<<20, 0)
}

// A result that is kept for a caller who had gone before it was there is dropped
// with the slot's next call.
func TestKeptForNobody(t *testing.T) {
	f := startLocal(t, config{})
	c := f.dial()
	for key := range uint32(10) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, _, err := blobM.CallBody(ctx, c, blobArg{Out: 800_000 + int64(key)<<10, Hold: key + 1}, nil, nil)
			done <- err
		}()
		if _, err := f.host.stage.await(context.Background(), key+1, func(n note) bool { return n.Held == 1 }); err != nil {
			t.Fatal(err)
		}
		cancel()
		wantErr(t, recv(t, done), context.Canceled)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
		hammer(t, c, 1, 1)
		if n := call.Kept(f.host.srv); n != 0 {
			t.Fatalf("%d bytes are kept", n)
		}
		c.Close() // the next conn has not learned the usual size
		c = f.dial()
	}
}

// What is kept for callers who have all gone is dropped without another call in
// their slots.
func TestKeptForNobodyInAnySlot(t *testing.T) {
	f := startLocal(t, config{})
	c := f.dial()
	ctx, cancel := context.WithCancel(context.Background())
	const callers = 5
	done := make(chan error, callers)
	for key := range uint32(callers) {
		go func() {
			_, _, err := blobM.CallBody(ctx, c, blobArg{Out: 800_000, Hold: key + 1}, nil, nil)
			done <- err
		}()
	}
	for key := range uint32(callers) {
		if _, err := f.host.stage.await(context.Background(), key+1, func(n note) bool { return n.Held == 1 }); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	for range callers {
		wantErr(t, recv(t, done), context.Canceled)
	}
	eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	if n := call.Kept(f.host.srv); n != 0 {
		t.Fatalf("%d bytes are kept", n)
	}
}

// No limit is a quota too.
func TestQuotaWithoutLimit(t *testing.T) {
	f := startLocal(t, config{Quota: math.MaxInt64})
	if _, got, err := blobM.CallBody(context.Background(), f.dial(), blobArg{Out: 3 << 20}, nil, nil); err != nil || len(got) != 3<<20 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

// ErrShutdown promises that a call did not run, so a result that could not be
// fetched any more is none of it.
func TestKeptResultAtShutdown(t *testing.T) {
	f := startLocal(t, config{Quota: 1 << 20})
	c := f.dial()
	giveBack := call.TakeQuota(c, 900_000)
	defer giveBack()
	done := make(chan error, 1)
	go func() {
		_, _, err := blobM.CallBody(context.Background(), c, blobArg{Out: 800_000}, nil, nil)
		done <- err
	}()
	eventually(t, "the fetch waits", func() bool { return call.QuotaWaiters(c) })
	if err := f.host.srv.Close(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, recv(t, done), partywall.ErrPeerGone)
}

// Body regions that nobody has used for a while go, on both sides.
func TestIdleRegionsAreDropped(t *testing.T) {
	f := startProcess(t, config{})
	t.Cleanup(call.SetIdleBody(10 * time.Millisecond)) // after the conn has been closed, below
	c := f.dial()
	for range 3 {
		blob(t, c, 1<<20, 3<<20, 0)
		eventually(t, "the client has no region", func() bool {
			regions, total := call.Warm(c)
			return regions == 0 && total == 0 && bodyMappings() == 0
		})
		ctx, cancel := within(proctest.Watchdog)
		eventually(t, "the server has no region", func() bool {
			n, err := mapsM.Call(ctx, c, struct{}{})
			if err != nil {
				t.Fatal(err)
			}
			return n.N == 0
		})
		cancel()
	}
	hammer(t, c, 4, 20)
}
