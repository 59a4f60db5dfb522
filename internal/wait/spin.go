package wait

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// maxBurst is the longest run of PAUSEs between two looks. 64 PAUSEs take
	// 0.7 to 3 µs, depending on the processor; a burst cannot be preempted.
	maxBurst = 64

	// freeTurns are the turns before a spin looks at the clock and asks for one
	// of the process's permits: 167 PAUSEs, or two microseconds and more, besides what the looks between them take.
	freeTurns = 48

	// maxSkip is how many waits in a row are not spun after spins that failed.
	maxSkip = 64
)

// spinners counts the spins of this process that are past their free turns.
var spinners atomic.Int32

// permits is how many goroutines may spin at once: all processors but one, so
// that there is always one for the work, and none at all with one processor.
var permits = int32(min(runtime.GOMAXPROCS(0), runtime.NumCPU()) - 1)

// refused counts the spins that have found no permit.
var refused atomic.Uint32

// Pause is one spin-wait hint: 10 to 50 ns, depending on the processor.
func Pause() { pause(1) }

// A Turn is one spin, for as long as it costs to wake a sleeping process: that is at
// most twice as dear as knowing the future (the ski-rental bound). The zero value is
// ready, and [Turn.Next] is called between two looks. A Turn belongs to one goroutine.
type Turn struct {
	// Place, if not nil, says whether to leave the processor to the peer.
	Place *Place

	n         uint32
	permitted bool
	budget    time.Duration
	since     time.Duration // Now, when it was permitted
	refused   uint32        // of that moment
	firm      time.Duration // after which it gives way
	gaveWay   bool
	now       time.Duration // at the last look at the clock
}

// extended is how long a side spins that has good reason to.
const extended = 3

// Extend has the spin last three times as long as a wake costs: the peer was asleep and has been rung for, so that
// a wake and an answer have to fit in. Otherwise two sides that have both fallen asleep would never
// find each other awake.
func (t *Turn) Extend() {
	t.firm = extended * wakeCost
	t.Last(t.firm)
}

// Last sets how long the spin lasts, if that is longer than a wake costs and no other goroutine wants
// to spin meanwhile and may not.
func (t *Turn) Last(d time.Duration) { t.budget = max(t.budget, d) }

// Next pauses for a moment and reports whether to look again. It returns false
// when the spin has lasted as long as a wake would cost or [Turn.Last] said, when
// the process has enough spinners already, and at once on a machine with one
// processor. The pauses grow from one hint to a burst of 64; a peer on the same
// processor gets it instead.
func (t *Turn) Next() bool {
	if permits == 0 {
		return false
	}
	t.n++
	if t.n < freeTurns && (t.Place == nil || !t.Place.crowded.Load()) {
		pause(1 + t.n/8)
		return true
	}
	return t.long()
}

func (t *Turn) long() bool {
	if !t.permitted {
		if spinners.Add(1) > permits {
			spinners.Add(-1)
			refused.Add(1)
			return false
		}
		t.permitted = true
		t.refused = refused.Load()
		t.since = Now()
		t.now = t.since
		t.budget, t.firm = max(t.budget, wakeCost), max(t.firm, wakeCost)
	}
	if t.Place != nil {
		t.Place.Look()
		if t.Place.crowded.Load() {
			Yield()
			return !t.Place.leave() && t.more()
		}
	}
	pause(min(8+t.n/8, maxBurst))
	if t.n%8 == 0 {
		runtime.Gosched()
	}
	return t.more()
}

func (t *Turn) more() bool {
	t.now = Now()
	lasted := t.now - t.since
	t.gaveWay = lasted >= t.firm && refused.Load() != t.refused
	return lasted < t.budget && !t.gaveWay
}

// Lasted says how long the spin has lasted after its free turns, which are no more than a few
// microseconds and cost no look at the clock, until the last turn; 0 if it has not come so far.
func (t *Turn) Lasted() time.Duration { return t.now - t.since }

// GaveWay says whether the spin has ended early, as others wanted its permit: that is no miss.
func (t *Turn) GaveWay() bool { return t.gaveWay }

// Turns says how often Next was called.
func (t *Turn) Turns() uint32 { return t.n }

// End ends the spin, so that the Turn can be used for the next one. Every spin
// ends with it.
func (t *Turn) End() {
	if t.permitted {
		spinners.Add(-1)
	}
	*t = Turn{Place: t.Place}
}

// A Predictor remembers how the waits for one kind of event went, and says whether
// to spin for the next, and for how long. Up to three spins in a row that fail are put
// down to chance: a processor that others used meanwhile. After more it advises against
// spinning for the next 1, 2, 4, … 64 waits. It is confident again after a spin
// that succeeded, and after a sleep so short that a spin would have succeeded. The
// zero value is confident. It may be used concurrently.
type Predictor struct {
	skip   atomic.Uint32 // waits still to skip
	misses atomic.Uint32 // in a row
	wait   atomic.Int64  // nanoseconds that events have kept a spin waiting of late, beyond its free turns
	short  atomic.Uint32 // waits in a row that Idled found short
}

// chance is how many failures in a row mean nothing.
const chance = 3

// longestWorth is how many wakes' costs the longest spin may cost that a Predictor finds worth
// while. What is due ten thousand times a second is due each 100 µs: two wakes on a virtual machine.
const longestWorth = 4

// Spin reports whether the next wait should spin.
func (p *Predictor) Spin() bool {
	s := p.skip.Load()
	if s == 0 {
		return true
	}
	p.skip.CompareAndSwap(s, s-1)
	return false
}

// Worth says how long a spin for the next event should last if that is longer than a wake costs: twice
// as long as events have taken of late, within reason.
func (p *Predictor) Worth() time.Duration {
	return min(2*time.Duration(p.wait.Load()), longestWorth*wakeCost)
}

// Hit records a spin that saw its event, and how long it lasted.
func (p *Predictor) Hit(lasted time.Duration) {
	if was := time.Duration(p.wait.Load()); lasted > was {
		p.wait.Store(int64(min(lasted, longestWorth*wakeCost)))
	} else if lasted != 0 {
		p.wait.Store(int64(was - (was-lasted)/8))
	}
	if p.misses.Load() != 0 {
		p.misses.Store(0)
		p.skip.Store(0)
	}
}

// Miss records a spin that ended without its event.
func (p *Predictor) Miss() {
	p.short.Store(0)
	if n := p.misses.Add(1); n > chance {
		p.wait.Store(0)
		p.skip.Store(min(uint32(1)<<min(n-chance-1, 31), maxSkip))
	}
}

// Slept records a wait without a spin that took d, in which so many processes
// had to be woken one after the other.
func (p *Predictor) Slept(d time.Duration, wakes int) {
	if d < time.Duration(wakes+1)*wakeCost {
		p.Hit(0)
	}
}

// Idled is Slept for who waits for work. Work that comes at a steady pace is worth a longer spin, but takes
// several short waits in a row to be believed in: work that comes at random has short waits too.
func (p *Predictor) Idled(d time.Duration) {
	if d >= longestWorth*wakeCost {
		p.short.Store(0)
	} else if p.short.Add(1) >= chance {
		p.Hit(d)
	}
}
