package call

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/partywall/partywall/internal/wait"
)

// The watcher may find the bit of a caller that has its answer and has not taken
// the bit back yet. The state says so; the numbers mean nothing then.
func TestWatcherMeetsACallerThatLeaves(t *testing.T) {
	c := &Conn{control: &control{}, slots: make([]atomic.Pointer[clientSlot], 64)}
	var bell atomic.Uint32
	c.watch.init(&bell, 64)
	s := &clientSlot{slotView: slotView{req: &requestPart{}, rsp: &responsePart{}}, index: 3, ready: make(chan struct{}, 1)}
	c.slots[3].Store(s)
	s.seq = 5
	s.rsp.seq.Store(5)
	c.watch.parked[0].Store(1 << 3)
	for _, state := range []uint64{phaseNone, parkedAs(phaseDelivered, 5), parkedAs(phaseDelivered, 4)} {
		s.state.Store(state)
		for _, ended := range []bool{false, true} {
			if delivered, waiting := c.deliver(ended); delivered != 0 || waiting != 1 {
				t.Errorf("state %#x, ended %v: %d delivered, %d wait", state, ended, delivered, waiting)
			}
		}
	}
	if err := c.Err(); err != nil {
		t.Errorf("an honest server is called a liar: %v", err)
	}
	s.state.Store(parkedAs(phaseParked, 5))
	if delivered, waiting := c.deliver(false); delivered != 1 || waiting != 0 || c.watch.parked[0].Load() != 0 {
		t.Errorf("parked: %d delivered, %d wait", delivered, waiting)
	}
	<-s.ready
}

// A caller can be giving up just when the conn ends: its slot is still the
// watcher's to free, or Close would wait for it for ever.
func TestWatcherWaitsForACallerThatGivesUp(t *testing.T) {
	c := &Conn{control: &control{geometry: geometry{slots: 64}}, slots: make([]atomic.Pointer[clientSlot], 64)}
	c.free.init(64)
	var bell atomic.Uint32
	c.watch.init(&bell, 64)
	i := c.free.take()
	s := &clientSlot{slotView: slotView{req: &requestPart{}, rsp: &responsePart{}}, index: i, ready: make(chan struct{}, 1)}
	c.slots[i].Store(s)
	c.watch.parked[0].Store(1 << i)
	c.end.Store(&connEnd{errors.New("the end")})
	watched := make(chan struct{})
	go func() { c.watchAnswers(); close(watched) }()
	select {
	case <-watched:
		t.Fatal("it has gone before the caller")
	case <-time.After(20 * time.Millisecond): // long enough for many looks
	}
	s.state.Store(parkedAs(phaseAbandoned, 7))
	<-watched
	if n := FreeSlots(c); n != 64 {
		t.Errorf("%d slots are free", n)
	}
}

func TestCallContext(t *testing.T) {
	end := errors.New("the end")
	tests := []struct {
		what       string
		do         func(c *callContext, parent context.CancelCauseFunc)
		deadline   time.Duration
		err, cause error
	}{
		{"nothing", func(*callContext, context.CancelCauseFunc) {}, 0, nil, nil},
		{"far deadline", func(*callContext, context.CancelCauseFunc) {}, time.Hour, nil, nil},
		{"past deadline", func(*callContext, context.CancelCauseFunc) {}, -time.Second, context.DeadlineExceeded, context.DeadlineExceeded},
		{"given up", func(c *callContext, _ context.CancelCauseFunc) { c.end(context.Canceled) }, 0, context.Canceled, context.Canceled},
		{"given up after the deadline", func(c *callContext, _ context.CancelCauseFunc) { _ = c.Err(); c.end(context.Canceled) }, -time.Second, context.DeadlineExceeded, context.DeadlineExceeded},
		{"conn ended", func(_ *callContext, p context.CancelCauseFunc) { p(end) }, time.Hour, context.Canceled, end},
	}
	for _, test := range tests {
		for _, early := range []bool{true, false} { // whether Done is asked for before it happens
			parent, cancel := context.WithCancelCause(context.Background())
			c := &callContext{connContext: &connContext{parent}}
			if test.deadline != 0 {
				c.deadline = wait.ToClock(time.Now().Add(test.deadline))
			}
			if early {
				c.Done()
			}
			test.do(c, cancel)
			if test.err != nil {
				select {
				case <-c.Done():
				case <-time.After(30 * time.Second):
					t.Fatalf("%s: it does not end", test.what)
				}
			}
			if err, cause := c.Err(), context.Cause(c); err != test.err || cause != test.cause {
				t.Errorf("%s, %v: %v because of %v; want %v because of %v", test.what, early, err, cause, test.err, test.cause)
			}
			if d, ok := c.Deadline(); ok != (test.deadline != 0) || ok && time.Until(d).Round(time.Second) != test.deadline {
				t.Errorf("%s: deadline %v, %v", test.what, d, ok)
			}
			child, stop := context.WithCancel(c)
			if test.err != nil {
				<-child.Done()
			}
			if (child.Err() == nil) != (test.err == nil) {
				t.Errorf("%s: a child's error is %v", test.what, child.Err())
			}
			stop()
			c.end(context.Canceled)
			<-c.Done()
			cancel(nil)
		}
	}
}

// All of a context's methods, and its end, at once.
func TestCallContextConcurrently(t *testing.T) {
	parent, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	for i := range 200 {
		c := &callContext{connContext: &connContext{parent}, deadline: wait.ToClock(time.Now().Add(time.Duration(i) * time.Microsecond))}
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { <-c.Done() })
			group.Go(func() {
				for c.Err() == nil {
				}
			})
			group.Go(func() { c.end(context.Canceled) })
		}
		group.Wait()
		if first := c.Err(); first != c.Err() || first == nil {
			t.Fatal(first)
		}
	}
}

func TestCutText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		n := rapid.IntRange(3, 40).Draw(t, "n")
		got := cutText(text, n)
		switch {
		case len(text) <= n && got != text:
			t.Fatalf("%q became %q", text, got)
		case len(got) > n, !utf8.ValidString(got):
			t.Fatalf("%q became %q", text, got)
		case len(text) > n && (!strings.HasSuffix(got, "...") || !strings.HasPrefix(text, got[:len(got)-3]) || len(got) < n-3):
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestCleanText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))
		got := cleanText(text)
		if !utf8.ValidString(got) || cleanText(got) != got {
			t.Fatalf("%q became %q", text, got)
		}
		for _, r := range got {
			if r < ' ' || 0x7f <= r && r < 0xa0 {
				t.Fatalf("%q became %q", text, got)
			}
		}
	})
}

// A quantile is the end of the span of the duration that has so many before it.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h histogram
		all := rapid.SliceOfN(rapid.Int64Range(0, 1<<41-1), 1, 300).Draw(t, "nanoseconds")
		for _, ns := range all {
			h.add(time.Duration(ns), 1)
		}
		slices.Sort(all)
		percent := rapid.IntRange(0, 100).Draw(t, "percent")
		before := max(1, (percent*len(all)+99)/100) // in whole numbers, which are not rounded
		want := all[before-1]
		got := int64(h.times().Quantile(float64(percent) / 100))
		if got <= want || float64(got) > max(float64(want)*1.25, float64(want)+1) {
			t.Fatalf("%d %% of %v: %d, want a bit more than %d", percent, all, got, want)
		}
	})
	var h histogram
	h.add(10, 1)
	h.add(1000, 1)
	h.add(math.MaxInt64, 1)
	times := h.times()
	for q, want := range map[float64]uint64{0: 10, 0.34: 1000, 0.5: 1000, 2.0 / 3: 1000, 0.99: 1<<41 - 1, 1: 1<<41 - 1} {
		if got := uint64(times.Quantile(q)); got <= want || got > want*5/4+1 {
			t.Errorf("%v: %d, want a bit more than %d", q, got, want)
		}
	}
	if got := time.Duration(bucketFrom(len(h))); got.Truncate(time.Minute) != 36*time.Minute {
		t.Errorf("the buckets reach %v", got)
	}
	if got := (Times{}).Quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
}

// A handler that is overtaken while handlers are counted is among them.
func TestOvertakenIsCounted(t *testing.T) {
	x := &session{}
	const rounds = 100_000
	var begun, done atomic.Int64
	go func() {
		for i := range int64(rounds) {
			for begun.Load() <= i {
				runtime.Gosched()
			}
			x.apart.Add(1)
			x.role.current.Store(&worker{}) // in no handler
			done.Store(i + 1)
		}
	}()
	missed := 0
	for i := range int64(rounds) {
		w := &worker{}
		w.inline.Store(1)
		x.role.current.Store(w)
		x.apart.Store(0)
		begun.Store(i + 1)
		for over := false; !over; runtime.Gosched() {
			over = done.Load() > i
			for range 100 { // most of which do not yield the processor
				if x.inFlight() < 1 {
					missed++
				}
			}
		}
	}
	if missed > 0 {
		t.Errorf("it was missed %d times in %d", missed, rounds)
	}
}

// Two slots that become free at once serve two who wait, although there is one
// token.
func TestTokenIsPassedOn(t *testing.T) {
	c := &Conn{ended: make(chan struct{})}
	for range 500 {
		var f freeSlots
		f.init(64)
		for range 64 {
			f.take()
		}
		got := make(chan int, 2)
		for range 2 {
			go func() {
				i, err := f.wait(context.Background(), c)
				if err != nil {
					t.Error(err)
				}
				got <- i
			}()
		}
		for f.waiters.Load() != 2 {
			runtime.Gosched()
		}
		f.release(3)
		f.release(7)
		for range 2 {
			select {
			case <-got:
			case <-time.After(30 * time.Second):
				t.Fatal("one waits beside a free slot")
			}
		}
	}
}

// Tokens for those who wait for a slot are neither lost nor needed twice.
func TestFreeSlots(t *testing.T) {
	var f freeSlots
	f.init(64)
	c := &Conn{ended: make(chan struct{})}
	var owners [64]atomic.Bool
	var group sync.WaitGroup
	for g := range 200 {
		group.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if (g+i)%10 == 0 {
					cancel()
				}
				slot := f.take()
				if slot < 0 {
					var err error
					if slot, err = f.wait(ctx, c); err != nil {
						cancel()
						continue
					}
				}
				if owners[slot].Swap(true) {
					t.Errorf("slot %d has two owners", slot)
				}
				owners[slot].Store(false)
				f.release(slot)
				cancel()
			}
		})
	}
	group.Wait()
	if w := f.words[0].Load(); w != ^uint64(0) || f.waiters.Load() != 0 {
		t.Errorf("free %#x, %d wait", w, f.waiters.Load())
	}
	if i := f.take(); i != 0 || !f.only(0) || f.only(1) {
		t.Errorf("the lowest is %d", i)
	}
	beside := func(i int, idle uint64) bool {
		words := make([]atomic.Uint64, len(f.words))
		words[0].Store(idle)
		return f.onlyBeside(i, words)
	}
	if i := f.take(); i != 1 || f.only(0) || beside(0, 0) || !beside(0, 2) || !beside(1, 1) || beside(2, 1) || !beside(2, 3) {
		t.Errorf("the next is %d", i)
	}
	f.release(1)
	f.release(0)
	drained := make(chan struct{})
	last := f.take()
	go func() { f.drain(); close(drained) }()
	for f.waiters.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-drained:
		t.Error("drained with a slot in use")
	default:
	}
	f.release(last)
	<-drained
	if f.take() >= 0 {
		t.Error("a slot is free after drain")
	}
}
