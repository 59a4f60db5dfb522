package call

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/wait"
)

// The state of a parked caller is what a slot's caller and the watcher agree on through
// clientSlot.state: a phase, and the number of the request it is about. Whoever
// wins the compare-and-swap out of parked decides how the wait ends.
const (
	phaseNone      = iota // the caller is not parked
	phaseParked           // the caller waits for ready
	phaseDelivered        // the watcher has the answer, or the conn's end, and sends ready
	phaseAbandoned        // the caller has gone; the watcher frees the slot
)

func parkedAs(phase uint64, seq uint32) uint64 { return uint64(seq)<<2 | phase }

// watcher looks for the answers of parked callers.
type watcher struct {
	sleeper   wait.Sleeper // the client's doorbell
	predictor wait.Predictor
	parked    []atomic.Uint64 // a bit for each slot whose state is not phaseNone
	idle      atomic.Bool     // nobody is parked: whoever parks next must poke
	asleep    atomic.Bool     // those who are parked have waited for long: it waits for a ring
	wake      chan struct{}
}

func (w *watcher) init(bell *atomic.Uint32, slots int) {
	w.sleeper = wait.NewSleeper(bell)
	w.parked = make([]atomic.Uint64, slots/64)
	w.wake = make(chan struct{}, 1)
}

// poke makes the watcher look.
func (w *watcher) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// enlist puts the slot on the watcher's list, parked, has the server ring for the answer if the watcher
// sleeps, and looks at the answer once more, since watcher and server may have looked before. If the answer is there, or the conn has
// ended, it takes the slot off again and reports true.
func (c *Conn) enlist(s *clientSlot) bool {
	w := &c.watch
	want, word, bit := s.seq, &w.parked[s.index/64], uint64(1)<<(s.index%64)
	word.Or(bit) // first: the watcher that finds the state clears the bit for good
	s.state.Store(parkedAs(phaseParked, want))
	wait.Announce(&s.req.waits, want)
	if s.rsp.seq.Load() == want || c.end.Load() != nil {
		if s.state.CompareAndSwap(parkedAs(phaseParked, want), phaseNone) {
			word.And(^bit)
			return true
		}
	} else if w.idle.Load() && w.idle.CompareAndSwap(true, false) {
		w.poke()
	}
	return false
}

// park waits until the answer to the slot's request is there, the conn has
// ended, or the context has. Then kept is false: the slot is abandoned, and the
// watcher frees it; but a lease keeps its slot until its function returns.
func (c *Conn) park(ctx context.Context, s *clientSlot) (kept bool, err error) {
	if c.enlist(s) {
		return true, c.answered(s)
	}
	if done := ctx.Done(); done == nil {
		<-s.ready
	} else {
		select {
		case <-s.ready:
		case <-done:
			seq, index := s.seq, s.index
			leased, next := s.leased, parkedAs(phaseAbandoned, seq) // an abandoned slot may be another's at once
			if leased {
				next = phaseNone
			}
			if s.state.CompareAndSwap(parkedAs(phaseParked, seq), next) {
				if leased {
					c.watch.parked[s.index/64].And(^(uint64(1) << (s.index % 64)))
				}
				c.cancel(cancellation{Slot: uint32(index), Seq: seq})
				return leased, ctx.Err()
			}
			<-s.ready
		}
	}
	return true, c.answered(s)
}

// cancel tells the server that a caller has given up. The caller does not wait
// for a link that is full, as it is when a thousand give up at once; but none of their
// handlers is left in the dark.
func (c *Conn) cancel(m cancellation) {
	if payload := encode(m); !c.link.TrySend(msgCancel, payload) {
		go c.send(msgCancel, payload)
	}
}

// abandon leaves a slot whose request is published to the watcher. It does so out of
// parked, as a caller that gives up does: an abandoned slot is not looked at again.
func (c *Conn) abandon(s *clientSlot) {
	if !c.enlist(s) {
		seq := s.seq
		if s.state.CompareAndSwap(parkedAs(phaseParked, seq), parkedAs(phaseAbandoned, seq)) {
			return
		}
		<-s.ready
	}
	c.freeSlot(s)
}

// answered looks at the slot's answer a last time: an answer that was published
// before the conn ended counts.
func (c *Conn) answered(s *clientSlot) error {
	if s.rsp.seq.Load() == s.seq {
		return nil
	}
	return c.Err()
}

// watchAnswers is the watcher's goroutine.
func (c *Conn) watchAnswers() {
	w := &c.watch
	turn := wait.Turn{Place: &c.place}
	looking, spin, quiet := false, false, 0
	for {
		ended := c.end.Load() != nil
		delivered, waiting := c.deliver(ended)
		if ended && waiting > 0 {
			runtime.Gosched() // one of them is just giving up: its slot is the watcher's to free
			continue
		}
		if ended {
			turn.End()
			return
		}
		if delivered > 0 {
			if spin {
				w.predictor.Hit(0)
			}
			turn.End()
			looking, spin, quiet = false, false, 0
			runtime.Gosched() // let those who have their answer ask again
			continue
		}
		if waiting == 0 {
			turn.End()
			looking, spin = false, false
			if quiet++; quiet < quietLooks {
				runtime.Gosched()
				continue
			}
			quiet = 0
			w.beIdle()
			continue
		}
		if !looking {
			looking, spin = true, w.predictor.Spin()
		}
		if spin && turn.Next() {
			runtime.Gosched()
			continue
		}
		if spin {
			w.predictor.Miss()
		}
		turn.End()
		c.sleep(spin)
		looking, spin = false, false
	}
}

// quietLooks is how often the watcher looks for parked callers before it is idle:
// those who have just got their answers often park again soon.
const quietLooks = 4

// beIdle waits until somebody parks.
func (w *watcher) beIdle() {
	w.idle.Store(true)
	for i := range w.parked {
		if w.parked[i].Load() != 0 {
			if w.idle.CompareAndSwap(true, false) {
				return
			}
			break
		}
	}
	<-w.wake
	w.idle.Store(false)
}

// sleep publishes that the client sleeps, looks again, and waits for a ring.
func (c *Conn) sleep(spun bool) {
	c.watch.sleeper.Sleep()
	if delivered, _ := c.deliver(false); delivered == 0 {
		start := wait.Now()
		c.watch.asleep.Store(true)
		<-c.watch.wake
		c.watch.asleep.Store(false)
		if !spun {
			c.watch.predictor.Slept(wait.Now()-start, 1)
		}
	}
	c.watch.sleeper.Wake()
}

// deliver hands every answer that is there to its parked caller, and frees the
// slots of those who have gone. With ended, all are told. It returns how many it
// dealt with and how many still wait.
func (c *Conn) deliver(ended bool) (delivered, waiting int) {
	for g := range c.watch.parked {
		for set := c.watch.parked[g].Load(); set != 0; set &= set - 1 {
			i := bits.TrailingZeros64(set)
			if c.deliverSlot(g, i, ended) {
				delivered++
			} else {
				waiting++
			}
		}
	}
	return delivered, waiting
}

func (c *Conn) deliverSlot(g, i int, ended bool) bool {
	s := c.slots[g*64+i].Load()
	state := s.state.Load()
	want := uint32(state >> 2)
	if phase := state & 3; phase != phaseParked && phase != phaseAbandoned {
		return false // the caller is just taking its bit back
	}
	if !ended {
		switch s.rsp.seq.Load() {
		case want:
		case want - 1:
			return false
		default:
			if s.state.Load() == state {
				c.fail(c.lie(s, want))
			}
			return false
		}
	}
	switch state & 3 {
	case phaseParked:
		if s.state.CompareAndSwap(state, parkedAs(phaseDelivered, want)) {
			c.watch.parked[g].And(^(uint64(1) << i))
			s.ready <- struct{}{}
			return true
		}
	case phaseAbandoned:
		if s.state.CompareAndSwap(state, phaseNone) {
			if !ended && !s.fetch && s.rsp.status == statusKept {
				c.dropKept(s)
				return true
			}
			c.watch.parked[g].And(^(uint64(1) << i))
			c.freeSlot(s)
			return true
		}
	}
	return false // the caller has just taken its bit back, or given up
}

// dropKept tells the server to drop the result that it has kept for a caller who
// has gone: the slot stays abandoned, with the request that says so.
func (c *Conn) dropKept(s *clientSlot) {
	s.req.requestFields = requestFields{flags: flagFetch}
	s.fetch = true
	s.seq++
	s.req.waits.Store(s.seq)
	c.publish(s)
	s.state.Store(parkedAs(phaseAbandoned, s.seq))
}

// lie is the error for a response number that no honest server publishes.
func (c *Conn) lie(s *clientSlot, want uint32) error {
	return fmt.Errorf("conn to %q, %v: %w: slot %d answers %d to request %d",
		c.service, c.link.Peer(), partywall.ErrProtocol, s.index, s.rsp.seq.Load(), want)
}
