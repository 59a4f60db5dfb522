package wait

import (
	"sync/atomic"
	"time"
)

// A Place tells whether the peer last ran on the processor that this side runs
// on. Then spinning keeps the peer from running, and the processor is better
// given to it. It happens when other processes use the machine: the scheduler
// puts whoever is woken beside its waker.
//
// Each side has a word in shared memory that it alone writes: the number of the
// processor it ran on, counted from 1, or 0. The words are hints; whatever a
// peer writes there costs at most the time of a spin. A Place may be used
// concurrently.
type Place struct {
	mine, theirs *atomic.Uint32
	patience     time.Duration
	crowded      atomic.Bool
	since        atomic.Int64 // when it became crowded, or was last left: Now
}

// Patience is how long one of the two sides endures a crowded processor before
// it sleeps once: whoever is woken is put on an idle processor, if there is one.
const Patience = time.Millisecond

var epoch = time.Now()

// Init makes p the place of the side that writes mine. With a patience above 0
// this side is the one that leaves.
func (p *Place) Init(mine, theirs *atomic.Uint32, patience time.Duration) {
	p.mine, p.theirs, p.patience = mine, theirs, patience
}

// Look publishes on which processor the caller runs, and finds out whether the
// peer was last seen there.
func (p *Place) Look() {
	here := processor()
	if p.mine.Load() != here {
		p.mine.Store(here)
	}
	if crowded := here != 0 && p.theirs.Load() == here; crowded != p.crowded.Load() {
		p.since.Store(int64(Now()))
		p.crowded.Store(crowded)
	}
}

// leave reports whether this side has endured a crowded processor for long
// enough; then it counts anew.
func (p *Place) leave() bool {
	if p.patience == 0 {
		return false
	}
	now := int64(Now())
	if now-p.since.Load() < int64(p.patience) {
		return false
	}
	p.since.Store(now)
	return true
}
