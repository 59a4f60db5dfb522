package call

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/wait"
)

// role is what the one worker of a session that looks for requests needs. Only
// that worker uses it, except for current.
type role struct {
	session *session
	sleeper wait.Sleeper // the server's doorbell
	idle    wait.Predictor
	seen    []uint64 // the lowest bit of each slot's seen, 64 slots to a word
	hint    int      // the slot taken last
	waited  bool     // a medium handler has run since the last look in vain
	crowd   int      // so many medium handlers still run apart
	run     uint64   // counts handlers' runs
	asleep  since    // while nobody has the role

	duty    atomic.Uint32
	current atomic.Pointer[worker] // for the monitor
}

// What duty says: whether a goroutine has the role.
const (
	dutyHeld = iota // one has
	dutyRung        // the same, and the reader has heard a ring meanwhile
	dutyNone        // none has: the server sleeps, and the reader takes it with the next ring
)

// since is when the server fell asleep, and whether after a spin in vain.
type since struct {
	at   time.Duration // wait.Now
	spun bool
}

func (r *role) init(x *session) {
	r.session = x
	r.sleeper = wait.NewSleeper(x.control.serverBell)
	r.seen = make([]uint64, len(x.control.pending))
}

// inside reports whether the worker is in a handler.
func (r *role) inside() bool {
	w := r.current.Load()
	return w != nil && w.inline.Load() != 0
}

// worker is one goroutine that has, or had, the role, or the reader, which has it now and then.
type worker struct {
	*role
	reads bool // it is the reader's
	spins bool // it shall spin before it sleeps, whatever the predictor says next

	// inline is 0 outside handlers, and inside the number of the handler's run.
	// The monitor overtakes the worker by replacing the number with overtaken, the
	// worker returns from the handler by replacing it with 0: whoever wins has the
	// role.
	inline atomic.Uint64
	method *handler // that runs; the worker writes it while inline is 0
}

const overtaken = ^uint64(0)

// A worker spins at least as long as a wake costs, and up to five times as long
// as the last handler took: where there is much to do for a call, the client too
// has much to do before the next, and the spin costs in proportion.
const (
	spinsPerWork = 5
	longestSpin  = 500 * time.Microsecond
)

func newWorker(x *session) *worker {
	w := &worker{role: &x.role}
	x.role.current.Store(w)
	return w
}

// replace starts others in the place of a goroutine that is lost to a handler.
func (w *worker) replace() {
	x := w.session
	x.users.Go(newWorker(x).work)
	if w.reads {
		x.users.Go(x.read)
	}
}

// work looks for requests until there is nothing to do, the conn has ended or the worker is overtaken.
func (w *worker) work() {
	x := w.session
	turn := wait.Turn{Place: &x.place}
	defer turn.End()
	w.sleeper.Wake() // a worker that was overtaken in its second look has left it asleep
	x.server.monitor.watch(x)
	looking, spin := false, false // whether nothing was there at the last look, and what is done about it
	for !x.ended.Load() {
		switch took, ok := w.look(); {
		case !ok:
			return
		case took:
			if spin {
				w.idle.Hit(turn.Lasted())
			}
			turn.End()
			looking, spin = false, false
			continue
		}
		w.waited = false
		if !looking {
			looking, spin = true, w.spins || w.idle.Spin()
			w.spins = false
			if x.rang.Load() {
				x.rang.Store(false)
				turn.Extend()
			}
			turn.Last(w.idle.Worth())
			turn.Last(min(spinsPerWork*time.Duration(x.worked.Load()), longestSpin))
		}
		if spin && turn.Next() {
			continue
		}
		if spin && !turn.GaveWay() {
			w.idle.Miss()
		}
		turn.End()
		if !w.sleep(spin) {
			return
		}
		looking, spin = false, false
	}
	x.server.monitor.forget(x)
}

// sleep publishes that the server sleeps, looks again, and lays the role down. It reports whether the worker is to go on, since there
// was something.
func (w *worker) sleep(spun bool) bool {
	w.sleeper.Sleep()
	took, ok := w.look()
	if !ok {
		return false
	}
	if !took && w.layDown(spun) {
		return false
	}
	w.sleeper.Wake()
	return true
}

// layDown leaves the role to the reader, unless that has heard a ring since the role was taken.
func (w *worker) layDown(spun bool) bool {
	x := w.session
	x.server.monitor.forget(x)
	w.asleep = since{wait.Now(), spun}
	if w.duty.CompareAndSwap(dutyHeld, dutyNone) {
		return true
	}
	w.duty.Store(dutyHeld)
	x.server.monitor.watch(x)
	return false
}

// rung is what the reader does after each message: it looks for requests, if nobody else does. It reports whether
// it still is the reader: while it is in a handler, the monitor may have given that to another.
func (w *worker) rung() bool {
	for {
		switch w.duty.Load() {
		case dutyNone:
			if w.duty.CompareAndSwap(dutyNone, dutyHeld) {
				return w.doze()
			}
		case dutyHeld:
			if w.duty.CompareAndSwap(dutyHeld, dutyRung) {
				return true
			}
		default:
			return true
		}
	}
}

// doze looks for requests without waking up: the reader publishes another sleep, looks once, and reads on. Where requests are
// rare, that saves waking a worker for each; the runtime wakes another thread with it, which takes
// a processor that the client needs. When requests come often, it starts a worker.
func (w *worker) doze() (reads bool) {
	x := w.session
	x.role.current.Store(w)
	x.server.monitor.watch(x)
	if !w.asleep.spun {
		w.idle.Idled(wait.Now() - w.asleep.at)
	}
	x.place.Look()
	w.waited = false // there was nothing to do
	w.sleeper.Again()
	took, ok := w.look()
	switch {
	case !ok:
		return w.inline.Load() != overtaken
	case took && w.idle.Spin():
		next := newWorker(x)
		next.spins = true
		x.users.Go(next.work)
		return true
	}
	w.layDown(false) // only the reader itself hears rings
	return true
}

// hintLooks is how often look looks for a request where the last one was before it looks for others: a lone caller's
// comes there, and from many callers there will be several then, to be taken at once. The words with
// the pending bits are written with each request, so that each look at them costs the client a transfer of their line.
const hintLooks = 8

// look takes every request that is there, first where the last one was. ok is
// false when the worker has lost the role or ended the conn.
func (w *worker) look() (took, ok bool) {
	for n := 1; ; n++ {
		if took, ok = w.takeFrom(w.hint); !ok {
			return took, false
		}
		if took || n == hintLooks {
			break
		}
		wait.Pause()
	}
	pending := w.session.control.pending
	for g := range pending {
		for diff := pending[g].Load() ^ w.seen[g]; diff != 0; diff &= diff - 1 {
			one, ok := w.takeFrom(g*64 + bits.TrailingZeros64(diff))
			if !ok {
				return true, false
			}
			took = took || one
		}
	}
	return took, true
}

// takeFrom takes the request in slot i, if there is a new one.
func (w *worker) takeFrom(i int) (took, ok bool) {
	x := w.session
	s := x.slot(i)
	n := s.req.seq.Load()
	if n == s.seen {
		return false, true
	}
	if checkNumbers && (n != s.seen+1 || s.letGo.Load() != s.seen) {
		x.end(fmt.Errorf("%w: slot %d: request %d after %d, of which %d is answered", partywall.ErrProtocol, i, n, s.seen, s.letGo.Load()))
		return false, false
	}
	wait.FetchToRead(s.argLine)
	wait.FetchToWrite(s.resultLine)
	s.seen, s.number = n, n
	w.seen[i/64] ^= 1 << (i % 64)
	w.hint = i
	return true, w.dispatch(s)
}
