package call_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// blob makes a call with a body of in bytes and a result's body of out bytes,
// with so much capacity for it, and checks all that comes back.
func blob(t testing.TB, c *call.Conn, in, out, capacity int) blobResult {
	t.Helper()
	ctx, cancel := within(proctest.Watchdog)
	defer cancel()
	body := pattern(in, byte(in))
	r, got, err := blobM.CallBody(ctx, c, blobArg{Out: int64(out)}, body, make([]byte, 0, capacity))
	if err != nil {
		t.Fatalf("%d bytes in, %d out, room for %d: %v", in, out, capacity, err)
	}
	if r.Len != int64(in) || r.Sum != sumOf(body) {
		t.Fatalf("%d bytes in, %d out: the handler got %d bytes, sum %x, want %x", in, out, r.Len, r.Sum, sumOf(body))
	}
	if out = max(out, 0); len(got) != out || sumOf(got) != sumOf(pattern(out, 1)) {
		t.Fatalf("%d bytes in, %d out: %d bytes came back, or others", in, out, len(got))
	}
	return r
}

// sizes lie around what is rounded: 64 bytes before a result's body, 64 KiB and
// its doubles for regions.
var sizes = []int{0, 1, 2, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097,
	65535 - 64, 65536 - 64, 65535, 65536, 65537, 131071, 131072, 131073, 1<<20 - 1, 1 << 20, 1<<20 + 1}

func TestBodies(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		for _, in := range sizes {
			for _, out := range []int{-1, 0, 1, 64, 65536 - in, 65537} {
				blob(t, c, in, out, 0)
				blob(t, c, in, out, max(out, 0))
			}
		}
		for _, out := range sizes {
			fresh := f.dial() // which has not learned the usual size
			blob(t, fresh, 3, out, 0)
			blob(t, fresh, 3, out, out)
			fresh.Close()
		}
	})
}

func TestManyGoroutinesWithBodies(t *testing.T) {
	eachWay(t, config{Quota: 8 << 20}, func(t *testing.T, f *fixture) {
		c := f.dial()
		var group sync.WaitGroup
		callers := 200
		if raceEnabled {
			callers = 60
		}
		for g := range callers {
			group.Go(func() {
				for i := range 5 {
					out := sizes[(11*g+i)%len(sizes)]
					blob(t, c, sizes[(7*g+i)%len(sizes)], out, out)
				}
			})
		}
		group.Wait()
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
		if regions, total := call.Warm(c); total > 8<<20 || regions == 0 {
			t.Errorf("%d regions are warm, of %d bytes", regions, total)
		}
	})
}

// Regions that are lent and taken back by a thousand at a time must not stop the
// readers of either side.
func TestManyRegionsChangeAtOnce(t *testing.T) {
	eachWay(t, config{Quota: 64 << 20}, func(t *testing.T, f *fixture) {
		c := f.dial()
		rounds, callers := 4, 1000
		if raceEnabled {
			rounds, callers = 2, 500
		}
		for round := range rounds {
			n := 60_000 << (round % 2 * 2) // the other class: all warm regions of one must go
			var group sync.WaitGroup
			for range callers {
				group.Go(func() { blob(t, c, n, -1, 0) })
			}
			group.Wait()
		}
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// CallBody appends, as append does.
func TestCallBodyAppends(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		for _, n := range []int{0, 1, 1000, 100_000} {
			for _, room := range []int{0, 1, 1000, 200_000} {
				into := append(make([]byte, 0, 5+room), "hello"...)
				_, got, err := blobM.CallBody(context.Background(), c, blobArg{Out: int64(n)}, nil, into)
				if err != nil {
					t.Fatal(err)
				}
				if want := append([]byte("hello"), pattern(n, 1)...); !bytes.Equal(got, want) {
					t.Fatalf("%d bytes after hello: %d bytes", n, len(got))
				}
				if room >= n && &got[0] != &into[0] {
					t.Errorf("%d bytes with room for %d: a new slice", n, room)
				}
			}
		}
		_, got, err := blobM.CallBody(context.Background(), c, blobArg{Out: -1}, []byte("x"), nil)
		if err != nil || got != nil {
			t.Errorf("no body: %v, %v", got, err)
		}
		// An error leaves into as it was.
		into := []byte("hello")
		_, got, err = blobM.CallBody(context.Background(), c, blobArg{Out: 10, Fail: true}, nil, into)
		if remote := (*call.RemoteError)(nil); !errors.As(err, &remote) || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// A body that is asked for a second time replaces the first, whichever of them
// fits into what the client lent.
func TestBodyTwice(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		for _, first := range []int64{1, 100, 70_000, 300_000} {
			for _, second := range []int64{0, 1, 100, 70_000, 400_000} {
				arg := blobArg{First: first, Out: second}
				_, got, err := blobM.CallBody(context.Background(), c, arg, []byte("abc"), nil)
				if err != nil || sumOf(got) != sumOf(pattern(int(second), 1)) || int64(len(got)) != second {
					t.Fatalf("%+v: %d bytes, %v", arg, len(got), err)
				}
			}
			fresh := f.dial()
			arg := blobArg{First: first, Out: 5}
			if _, got, err := blobM.CallBody(context.Background(), fresh, arg, nil, nil); err != nil || len(got) != 5 {
				t.Fatalf("%+v: %d bytes, %v", arg, len(got), err)
			}
			fresh.Close()
		}
		if f.host != nil {
			eventually(t, "nothing is kept", func() bool { return call.Kept(f.host.srv) == 0 })
		}
	})
}

// Call drops a result's body, wherever it lies.
func TestCallDropsTheBody(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		for i, n := range []int64{0, 1, 64, 65536, 1 << 20, 1, 0} {
			r, err := blobM.Call(context.Background(), c, blobArg{Out: n})
			if err != nil || r.Runs != int64(i+1) || r.Len != 0 {
				t.Fatalf("%d bytes: %+v, %v", n, r, err)
			}
		}
		hammer(t, c, 8, 50)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
		if f.host != nil {
			eventually(t, "nothing is kept", func() bool { return call.Kept(f.host.srv) == 0 })
		}
	})
}

// A result's body that does not fit is fetched; the handler does not run again
// for that.
func TestResultsThatDoNotFit(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		runs := int64(0)
		for _, n := range []int{100_000, 1 << 20, 5 << 20, 20 << 20} { // each larger than what was usual
			runs++
			if r := blob(t, c, 10, n, 0); r.Runs != runs {
				t.Fatalf("%d bytes: the handler ran %d times for %d calls", n, r.Runs, runs)
			}
		}
		if f.host != nil {
			if n := call.Kept(f.host.srv); n != 0 {
				t.Errorf("%d bytes are still kept", n)
			}
		}
	})
}

func TestLargeBodies(t *testing.T) {
	sizes := []int{10 << 20, 100 << 20}
	if raceEnabled {
		sizes = sizes[:1] // the detector looks at every byte
	}
	f := startProcess(t, config{})
	c := f.dial()
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			blob(t, c, n, 10, 0)
			blob(t, c, 10, n, 0)
			blob(t, c, 10, n, n)
			blob(t, c, n, n, n)
		})
	}
}
