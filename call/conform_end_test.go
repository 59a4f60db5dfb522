package call_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func TestShutdown(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		hammer(t, c, 1, 1) // the method is known
		running := hold(context.Background(), c, holdArg{Key: 1})
		f.seen(other, 1, 1, 0)

		if got := f.order("shutdown", "1ms"); got == "ok" {
			t.Fatal("Shutdown does not wait for the handler")
		}
		for _, conn := range []*call.Conn{c, other} {
			_, err := addM.Call(context.Background(), conn, [2]int64{1, 2})
			wantErr(t, err, partywall.ErrShutdown)
			wantText(t, err, f.name, "add")
			_, _, err = blobM.CallBody(context.Background(), conn, blobArg{Out: 10}, []byte("x"), nil)
			wantErr(t, err, partywall.ErrShutdown)
		}
		ctx, cancel := within(proctest.Watchdog)
		defer cancel()
		_, err := call.Dial(ctx, f.name)
		wantErr(t, err, partywall.ErrNotFound)
		next, err := call.Listen(f.name)
		if err != nil {
			t.Fatalf("the name is not free: %v", err)
		}
		next.Close()

		f.tell("shutdown", proctest.Watchdog.String())
		if got := f.order("open", "1"); got != "ok" { // a call would be refused
			t.Fatal(got)
		}
		if err := recv(t, running).err; err != nil {
			t.Errorf("the call that ran: %v", err)
		}
		if got := f.await("shutdown"); got != "ok" {
			t.Errorf("Shutdown: %s", got)
		}
		if got := f.order("served", ""); got != "ok" {
			t.Errorf("Serve: %s", got)
		}
		recv(t, c.Done())
		wantErr(t, c.Err(), partywall.ErrShutdown)
		_, err = addM.Call(context.Background(), c, [2]int64{1, 2})
		wantErr(t, err, partywall.ErrShutdown)
	})
}

// Under load, what Shutdown does not finish it has not begun.
func TestShutdownUnderLoad(t *testing.T) {
	for range 5 {
		f := startLocal(t, config{})
		var group sync.WaitGroup
		var mu sync.Mutex
		done := int64(0)
		started := make(chan struct{}, 100)
		for range 4 {
			c := f.dial()
			for range 8 {
				group.Go(func() {
					for i := 0; ; i++ {
						_, err := blobM.Call(context.Background(), c, blobArg{Out: -1})
						if i == 3 {
							started <- struct{}{}
						}
						if err != nil {
							if !errors.Is(err, partywall.ErrShutdown) {
								t.Errorf("%v", err)
							}
							return
						}
						mu.Lock()
						done++
						mu.Unlock()
					}
				})
			}
		}
		recv(t, started)
		if got := f.order("shutdown", proctest.Watchdog.String()); got != "ok" {
			t.Error(got)
		}
		group.Wait()
		f.host.stage.mu.Lock()
		if f.host.stage.runs != done {
			t.Errorf("%d handlers ran, %d calls were answered", f.host.stage.runs, done)
		}
		f.host.stage.mu.Unlock()
	}
}

func TestServerCloses(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, other, idle := f.dial(), f.dial(), f.dial()
		var calls []chan outcome
		for range 20 {
			calls = append(calls, hold(context.Background(), c, holdArg{Key: 1}))
		}
		f.seen(other, 1, 20, 0)
		if got := f.order("close", ""); got != "ok" { // waits for the handlers, whose contexts end
			t.Error(got)
		}
		for _, done := range calls {
			if err := recv(t, done).err; err != nil {
				wantErr(t, err, partywall.ErrPeerGone)
				wantText(t, err, f.name, "hold")
			}
		}
		recv(t, c.Done())
		if err := c.Err(); !errors.Is(err, partywall.ErrShutdown) { // if all were answered in time
			wantErr(t, err, partywall.ErrPeerGone)
		}
		recv(t, idle.Done())
		wantErr(t, idle.Err(), partywall.ErrShutdown) // nothing ran there, so nobody is in doubt
		_, err := addM.Call(context.Background(), idle, [2]int64{})
		wantErr(t, err, partywall.ErrShutdown)
		if got := f.order("close", ""); got != "ok" {
			t.Error(got)
		}
		if got := f.order("served", ""); got != "ok" {
			t.Errorf("Serve: %s", got)
		}
		if f.host != nil {
			n, err := f.host.stage.await(context.Background(), 1, func(n note) bool { return n.Left == 20 })
			if err != nil || known[n.Err] != context.Canceled || known[n.Cause] != partywall.ErrShutdown {
				t.Errorf("the handlers saw %+v, %v", n, err)
			}
		}
	})
}

func TestServesContextEnds(t *testing.T) {
	f := startLocal(t, config{Later: true})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.host.serve(ctx)
	c := f.dial()
	running := hold(context.Background(), c, holdArg{Key: 1})
	f.seen(c, 1, 1, 0)
	cancel()
	if err := recv(t, f.host.served); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := recv(t, running).err; err != nil {
		wantErr(t, err, partywall.ErrPeerGone)
	}
	_, err := call.Dial(context.Background(), f.name)
	wantErr(t, err, partywall.ErrNotFound)
}

func TestServerClosesTwiceAtOnce(t *testing.T) {
	f := startLocal(t, config{})
	f.dial()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := f.host.srv.Close(); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			if err := f.host.srv.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := recv(t, f.host.served); err != nil {
		t.Error(err)
	}
}

func TestConnCloses(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		if err := c.Err(); err != nil {
			t.Fatalf("before its end: %v", err)
		}
		select {
		case <-c.Done():
			t.Fatal("done before its end")
		default:
		}
		deadline, cancel := within(proctest.Watchdog)
		defer cancel()
		var calls []chan outcome
		for i := range 20 {
			ctx := context.Background()
			if i%2 == 1 {
				ctx = deadline
			}
			// Deaf, for a handler that answers as it is told counts.
			calls = append(calls, hold(ctx, c, holdArg{Key: 1, Deaf: true}))
		}
		f.seen(other, 1, 20, 0)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				recv(t, c.Done())
				wantErr(t, c.Err(), os.ErrClosed)
			})
		}
		for _, done := range calls {
			err := recv(t, done).err
			wantErr(t, err, os.ErrClosed)
			wantText(t, err, f.name, "hold")
		}
		group.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		for _, ctx := range []context.Context{context.Background(), deadline} {
			_, err := addM.Call(ctx, c, [2]int64{})
			wantErr(t, err, os.ErrClosed)
			_, _, err = blobM.CallBody(ctx, c, blobArg{Out: 10}, []byte("x"), nil)
			wantErr(t, err, os.ErrClosed)
			wantText(t, err, f.name, "blob")
		}
		_, err := keptlessM.Call(deadline, c, struct{}{}) // which it never asked for
		wantErr(t, err, os.ErrClosed)
		f.open(other, 1)
		if n := f.seen(other, 1, 20, 20); known[n.Err] != context.Canceled || known[n.Cause] != partywall.ErrPeerGone {
			t.Errorf("the handlers saw %+v", n)
		}
	})
}

// The end of a conn and the end of its callers' contexts at the same moment leave
// no slot that nobody frees: Close returns.
func TestCloseAndCancelAtOnce(t *testing.T) {
	f := startProcess(t, config{Slots: 64})
	other := f.dial()
	for key := range uint32(40) {
		c := f.dial()
		ctx, cancel := context.WithCancel(context.Background())
		var calls []chan outcome
		for range 64 {
			calls = append(calls, hold(ctx, c, holdArg{Key: key}))
		}
		f.seen(other, key, 64, 0)
		closed := make(chan error, 1)
		go func() { closed <- c.Close() }()
		cancel()
		if err := recv(t, closed); err != nil {
			t.Fatal(err)
		}
		for _, done := range calls {
			if err := recv(t, done).err; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrClosed) {
				t.Fatal(err)
			}
		}
	}
}

// Close while others wait for slots, and quota, and look methods up.
func TestCloseWhileOthersWait(t *testing.T) {
	eachWay(t, config{Slots: 64, Quota: 1 << 20}, func(t *testing.T, f *fixture) {
		other := f.dial()
		for key := range uint32(5) {
			c := f.dial()
			giveBack := call.TakeQuota(c, 1<<20)
			errs := make(chan error, 200)
			go func() {
				_, _, err := blobM.CallBody(context.Background(), c, blobArg{}, []byte("x"), nil)
				errs <- err
			}()
			eventually(t, "it waits for quota", func() bool { return call.QuotaWaiters(c) })
			var held []chan outcome
			for range 63 {
				held = append(held, hold(context.Background(), c, holdArg{Key: key, Deaf: true}))
			}
			f.seen(other, key, 63, 0)
			for range 50 {
				go func() { _, err := addM.Call(context.Background(), c, [2]int64{}); errs <- err }()
			}
			eventually(t, "they wait for slots", func() bool { return call.SlotWaiters(c) == 50 })
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			for range 51 {
				wantErr(t, recv(t, errs), os.ErrClosed)
			}
			for _, done := range held {
				wantErr(t, recv(t, done).err, os.ErrClosed)
			}
			giveBack()
			f.open(other, key)
		}
	})
}
