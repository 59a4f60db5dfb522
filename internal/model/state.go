package model

import "math/bits"

// Limits of an instance: they fix the size of a state.
const (
	maxCallers  = 4
	maxSlots    = 2
	maxHandlers = 3 // handlers on goroutines of their own at one time
	modulus     = 4 // of req and rsp: small, so that wrapping is explored
	socketRoom  = 1 // rings that fit into the socket: small, so that dropping is explored
)

// State is the whole state of the call machine. It contains only bytes, so
// that it compares and hashes as one block of memory.
type State struct {
	// Shared memory, except that the ids are ghosts: what the request and the
	// response part hold, as the id of a call.
	req, rsp     [maxSlots]uint8
	reqID, rspID [maxSlots]uint8
	waits        [maxSlots]uint8 // for which request somebody is parked: its number + 1, or 0
	pending      uint8           // bits
	asleep       [2]uint8        // the doorbell words: whether odd; the number is kept as ages, see newSleep

	// The socket: rings on their way to a side. A server that ends orderly has
	// sent BYE. A client that has closed it lives on until its callers are done.
	rings  [2]uint8
	dead   uint8 // bits: which side has died, or ended orderly
	bye    uint8
	closed uint8

	ended [2]uint8 // the conn has ended for a side: its reader has seen the end-of-file, or it has closed
	token [2]uint8 // capacity 1: from the reader (and others) to the watcher, to the worker
	rung  [2]uint8 // age of the sleep that a side rang for last; index: the side that sleeps
	once  [2]uint8 // for RingOnce

	// Private to the client.
	free     uint8           // bits
	dropped  uint8           // bits: free too, but perhaps unanswered: whoever claims one finds that the conn has ended
	mark     [maxSlots]uint8 // who cares for the answer: none, parked, abandoned; see mark
	list     uint8           // List: bits: where the watcher looks for marks
	hand     uint8           // bits: capacity 1 for each slot, watcher to caller
	waiters  uint8
	freed    uint8 // capacity 1
	idle     uint8 // the watcher's state as the callers see it
	unmapped uint8 // the client's mapping is gone
	callers  [maxCallers]caller
	watcher  watcher
	drain    drain

	// Private to the server.
	seen, letGo [maxSlots]uint8
	hint        uint8
	role        uint8 // which worker's number is current
	busy        uint8 // that worker is in a handler: one word with role, except in MonitorRace
	armed       uint8 // for MonitorRace: what the monitor believes
	leaving     uint8
	workers     [2]worker
	handlers    [maxHandlers]handler

	// Ghosts.
	ran uint16 // bits: ids of calls that were run
	bad uint8  // a violated property that only the step itself can see
}

type caller struct{ pc, slot, call, age, aim uint8 }

// What a caller is about, where the step that comes next does not say it.
const (
	aimCall  uint8 = iota
	aimOut         // it has given up waiting for a slot
	aimLate        // it has claimed a slot after the end of the conn
	aimOld         // a lease's next call: it waits for the old answer before it publishes
	aimLeave       // a lease whose function has returned: it waits for nothing
)

// look, all and waits are for List: the bits that are still to be looked at, whether
// the conn has ended, and whether somebody was not dealt with.
type watcher struct{ pc, slot, mark, look, all, waits uint8 }

// drain is what unmaps the memory; it has taken these free bits.
type drain struct{ pc, took uint8 }

// doze says what is left of a doze.
type worker struct{ pc, slot, look, hinted, doze, age, num uint8 }

// num is the request just answered: its number + 1.
type handler struct{ pc, slot, age, num uint8 }

// Kinds of marks. A mark is a kind and, above it, the number of the call.
const (
	markNone uint8 = iota
	markParked
	markAbandoned
	markKind = 3
)

// refused is the bit in a response that says REFUSED instead of a result.
const refused = 0x80

// Violations that a step sees, as values of State.bad.
const (
	badNone uint8 = iota
	badAnswer
	badTwice
	badGarbage
	badLie
	badLostAnswer
	badRefused
	badNotRun
)

var badNames = [...]string{
	badAnswer:     "an answer reaches only the call that asked",
	badTwice:      "a request is run at most once",
	badGarbage:    "the server runs only what a client published",
	badLie:        "an honest peer is never taken for a liar",
	badLostAnswer: "an answer that was published before the death is delivered",
	badRefused:    "a call that is refused or ends with ErrShutdown did not run",
	badNotRun:     "a call that got an answer was run exactly once",
}

// Calls is the call protocol as a machine: Config says how large.
type Calls struct{ Config }

// id returns the ghost identity of caller c's current call; 0 means none.
func (m *Calls) id(s *State, c int) uint8 { return uint8(c*m.Calls) + s.callers[c].call + 1 }

// alive reports whether neither side has died or closed.
func (s *State) alive(side int) bool { return s.dead&(1<<side) == 0 }

// Init returns the state of a conn on which nothing has happened: the worker
// looks, the watcher is idle.
func (m *Calls) Init() State {
	var s State
	s.free = 1<<m.Slots - 1
	s.idle = 1
	s.watcher.pc = waIdle
	for c := m.Callers; c < maxCallers; c++ {
		s.callers[c].pc = cDone
	}
	s.workers[0].pc = woLook
	return s
}

// A sleep's number is compared only for equality, and never comes back (2^32
// sleeps later it does: see the package comment). So the model keeps its age
// instead: 1 for the newest sleep, larger for older ones, 0 for none. That
// merges states which differ in nothing but how often a side has slept.

// newSleep stores the odd word of side: the newest sleep so far gets older.
func (s *State) newSleep(side int) {
	s.asleep[side] = 1
	if s.rung[side] != 0 {
		s.rung[side]++
	}
	s.ages(side, func(a *uint8) { *a++ })
}

// ages calls f for every age that a ringer of side has loaded and holds.
func (s *State) ages(side int, f func(*uint8)) {
	if side == server {
		for c := range s.callers {
			if a := &s.callers[c].age; *a != 0 {
				f(a)
			}
		}
		return
	}
	for w := range s.workers {
		if a := &s.workers[w].age; *a != 0 {
			f(a)
		}
	}
	for h := range s.handlers {
		if a := &s.handlers[h].age; *a != 0 {
			f(a)
		}
	}
}

// canonical renames what has no meaning but in comparison, so that equivalent
// states become equal: ages, callers (all do the same), handlers' goroutines.
func (m *Calls) canonical(s *State) {
	if !s.alive(server) {
		s.pending = 0
	}
	for i := range s.waits {
		if !m.compares(s, uint8(i)) {
			s.waits[i] = 0
		}
	}
	if s.closed != 0 { // no ring has an effect any more
		s.asleep, s.rung, s.once = [2]uint8{}, [2]uint8{}, [2]uint8{}
		for side := range s.rung {
			s.ages(side, func(a *uint8) { *a = 0 })
		}
	}
	if s.alive(client) && s.watcher.pc == waDone {
		s.idle, s.token[client] = 0, 0 // nobody waits for that token
	}
	for side := range s.rung {
		if s.rung[side] == 1 && s.asleep[side] == 0 && !s.holds(side, 1, 1) {
			s.rung[side] = 0 // the next sleep has another number
		}
		if s.rung[side] <= 1 && !s.holds(side, 2, 15) {
			continue
		}
		held := uint16(0)
		s.ages(side, func(a *uint8) { held |= 1 << *a })
		held &^= 1<<1 | 1
		rank := func(a uint8) uint8 {
			return 2 + uint8(bits.OnesCount16(held&(1<<a-1)))
		}
		if r := s.rung[side]; r > 1 {
			if held&(1<<r) == 0 {
				s.rung[side] = 0 // nobody can compare with it any more
			} else {
				s.rung[side] = rank(r)
			}
		}
		s.ages(side, func(a *uint8) {
			if *a > 1 {
				*a = rank(*a)
			}
		})
	}
	h := &s.handlers
	for i := 1; i < len(h); i++ {
		for j := i; j > 0 && h[j].key() < h[j-1].key(); j-- {
			h[j], h[j-1] = h[j-1], h[j]
		}
	}
	if s.alive(client) {
		for i := 1; i < m.Callers; i++ {
			for j := i; j > 0 && j != m.Leases && m.callerKey(s, j) < m.callerKey(s, j-1); j-- {
				m.swapCallers(s, j)
			}
		}
	}
}

// compares reports whether somebody may yet compare a slot's waits with its present value: whoever
// has answered that request, or will. As with sleeps, a number never comes back.
func (m *Calls) compares(s *State, slot uint8) bool {
	num := s.waits[slot]
	if num == 0 || !s.alive(server) || s.closed != 0 {
		return false
	}
	if num == s.req[slot]+1 && s.rsp[slot] != s.req[slot] {
		return true
	}
	for _, w := range s.workers {
		if w.pc == woWaits && w.slot == slot && w.num == num {
			return true
		}
	}
	for _, h := range s.handlers {
		if h.slot == slot && (h.pc == woWaits && h.num == num || h.pc == woLetGo) {
			return true
		}
	}
	return false
}

// holds reports whether a ringer of side holds an age from low to high.
func (s *State) holds(side int, low, high uint8) bool {
	h := false
	s.ages(side, func(a *uint8) { h = h || *a >= low && *a <= high })
	return h
}

func (h handler) key() uint32 {
	return uint32(h.pc)<<24 | uint32(h.slot)<<16 | uint32(h.age)<<8 | uint32(h.num)
}

func (m *Calls) callerKey(s *State, c int) uint64 {
	k := s.callers[c]
	ran := s.ran >> (c * m.Calls) & (1<<m.Calls - 1)
	return uint64(k.pc)<<48 | uint64(k.aim)<<40 | uint64(k.slot)<<32 | uint64(k.call)<<24 | uint64(k.age)<<16 | uint64(ran)
}

// swapCallers exchanges callers j-1 and j and, with them, the ids of their calls.
func (m *Calls) swapCallers(s *State, j int) {
	s.callers[j], s.callers[j-1] = s.callers[j-1], s.callers[j]
	k := uint8(m.Calls)
	low := uint8(j-1) * k
	rename := func(id *uint8) {
		switch n := *id&^refused - 1; {
		case *id&^refused == 0 || n < low || n >= low+2*k:
		case n < low+k:
			*id += k
		default:
			*id -= k
		}
	}
	for i := range s.reqID {
		rename(&s.reqID[i])
		rename(&s.rspID[i])
	}
	all := uint16(1)<<k - 1
	a, b := s.ran>>low&all, s.ran>>(low+k)&all
	s.ran = s.ran&^(all<<low|all<<(low+k)) | b<<low | a<<(low+k)
}
