package call

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// freeSlots says which slots of a conn are free, in this process's own memory.
// The lowest free slot is claimed, so that few calls at a time use few cache lines.
type freeSlots struct {
	words   []atomic.Uint64 // a bit for each free slot
	waiters atomic.Int32    // callers in wait
	freed   chan struct{}   // a token: a slot may be free
	slots   int
}

func (f *freeSlots) init(slots int) {
	f.slots = slots
	f.words = make([]atomic.Uint64, slots/64)
	for i := range f.words {
		f.words[i].Store(^uint64(0))
	}
	f.freed = make(chan struct{}, 1)
}

// take claims the lowest free slot and returns its number, or -1 if none is free.
func (f *freeSlots) take() int {
	for g := range f.words {
		word := &f.words[g]
		for w := word.Load(); w != 0; w = word.Load() {
			if word.CompareAndSwap(w, w&(w-1)) {
				return g*64 + bits.TrailingZeros64(w)
			}
		}
	}
	return -1
}

// only reports whether slot i is the only one of the first 64 that is in use. As the lowest is
// claimed, there are hardly others then.
func (f *freeSlots) only(i int) bool { return i < 64 && f.words[0].Load()|1<<i == ^uint64(0) }

// onlyBeside reports whether slot i is the only one in use that is not in idle.
func (f *freeSlots) onlyBeside(i int, idle []atomic.Uint64) bool {
	for g := range f.words {
		in := f.words[g].Load() | idle[g].Load()
		if g == i/64 {
			in |= 1 << (i % 64)
		}
		if in != ^uint64(0) {
			return false
		}
	}
	return true
}

// wait claims a slot once one is free.
func (f *freeSlots) wait(ctx context.Context, c *Conn) (int, error) {
	f.waiters.Add(1)
	defer func() {
		f.waiters.Add(-1)
		f.pass()
	}()
	for {
		if i := f.take(); i >= 0 {
			return i, nil
		}
		select {
		case <-f.freed:
		case <-ctx.Done():
			return -1, ctx.Err()
		case <-c.ended:
			return -1, c.Err()
		}
	}
}

// pass gives the token on if there is a free slot and somebody who waits: the
// token may have been meant for both this waiter and another.
func (f *freeSlots) pass() {
	if f.waiters.Load() == 0 {
		return
	}
	for g := range f.words {
		if f.words[g].Load() != 0 {
			f.signal()
			return
		}
	}
}

func (f *freeSlots) signal() {
	select {
	case f.freed <- struct{}{}:
	default:
	}
}

// release makes slot i free.
func (f *freeSlots) release(i int) {
	f.words[i/64].Or(1 << (i % 64))
	if f.waiters.Load() > 0 {
		f.signal()
	}
}

// drain claims every slot, waiting for those in use: afterwards no caller is in
// the region, and none can come.
func (f *freeSlots) drain() {
	f.waiters.Add(1)
	for left := f.slots; left > 0; {
		took := 0
		for g := range f.words {
			took += bits.OnesCount64(f.words[g].Swap(0))
		}
		if left -= took; left > 0 && took == 0 {
			<-f.freed
		}
	}
}

// clientSlot is what the client knows of a slot, in its own memory. The fields
// belong to whoever has claimed the slot.
type clientSlot struct {
	slotView
	index  int
	seq    uint32      // the last request's number
	region *bodyRegion // lent to the call in flight, or nil
	fetch  bool        // the last request is a FETCH
	leased bool        // the caller is a lease

	state atomic.Uint64 // see parkedAs
	ready chan struct{} // the watcher has delivered
}

// slotAt returns the slot that the caller has claimed.
func (c *Conn) slotAt(i int) *clientSlot {
	if s := c.slots[i].Load(); s != nil {
		return s
	}
	s := &clientSlot{slotView: c.control.slot(i), index: i, ready: make(chan struct{}, 1)}
	c.slots[i].Store(s)
	return s
}

// claim takes a slot, waiting for one if all are in use.
func (c *Conn) claim(ctx context.Context) (*clientSlot, error) {
	i := c.free.take()
	if i < 0 {
		var err error
		if i, err = c.free.wait(ctx, c); err != nil {
			return nil, err
		}
	}
	s := c.slotAt(i)
	if e := c.end.Load(); e != nil {
		c.free.release(i)
		return nil, e.err
	}
	return s, nil
}

// freeSlot gives a slot back that the server has let go of, and its body region.
func (c *Conn) freeSlot(s *clientSlot) {
	if s.region != nil {
		c.bodies.release(s.region)
		s.region = nil
	}
	c.free.release(s.index)
}
