package model

import "math/bits"

// take takes the lowest free bit: a loop of loads and compare-and-swaps, which
// takes effect in its last one. The look at the end of the conn that follows is part
// of the step: an end that comes in between is like one that comes later.
func (s *State) take(c int) bool {
	if s.free|s.dropped == 0 {
		return false
	}
	i := uint8(bits.TrailingZeros8(s.free | s.dropped))
	s.free &^= 1 << i
	s.dropped &^= 1 << i
	k := &s.callers[c]
	if k.slot = i; s.ended[client] != 0 {
		k.aim = aimLate
	}
	return true
}

// claimed is where caller c goes once it has claimed a slot, or given up.
func (m *Calls) claimed(s *State, c int) {
	switch k := &s.callers[c]; {
	case k.aim == aimOut:
		m.finish(s, c)
	case k.aim == aimLate:
		k.pc = cLate
	case m.leases(c):
		k.pc = cHold
	default:
		k.pc = m.publishPC()
	}
}

// release sets the free bit.
func (s *State) release(slot uint8) {
	s.free |= 1 << slot
	s.settle(slot)
}

// settle forgets an answered request. What the parts hold no longer matters; a
// look at them from now on is a mistake, which the zeros make visible.
func (s *State) settle(slot uint8) {
	if id := s.reqID[slot]; id != 0 {
		s.ran |= 1 << (id - 1) // it must not run from now on
	}
	s.reqID[slot], s.rspID[slot] = 0, 0
}

// drop sets the free bit of a slot that may not have been answered, when the conn
// has ended. Nobody claims it again, and if the server lives it may still run what
// was published there.
func (s *State) drop(slot uint8) {
	s.dropped |= 1 << slot
	if !s.alive(server) {
		s.settle(slot)
	}
}

// finish ends what caller c does, without a slot: its current call, or its lease.
func (m *Calls) finish(s *State, c int) {
	k := &s.callers[c]
	for more := true; more; more = m.leases(c) && int(k.call) < m.Calls {
		m.over(s, c)
		k.call++
	}
	*k = caller{pc: cStart, call: k.call}
	if int(k.call) >= m.Calls {
		*k = caller{pc: cDone}
	}
}

// over notes that caller c's current call has returned. A run after this would be
// a mistake, so the ghost bit may as well be set: it merges what was run with
// what was never published. Only a call whose request is still on its way may yet
// run.
func (m *Calls) over(s *State, c int) {
	if int(s.callers[c].call) >= m.Calls {
		return // a lease that has made all its calls
	}
	id := m.id(s, c)
	for i := range m.Slots {
		if s.reqID[i] == id {
			return
		}
	}
	s.ran |= 1 << (id - 1)
}

// gone ends caller c's call because the conn has ended, and frees its slot unless
// it is a lease.
func (m *Calls) gone(s *State, c int) {
	k := &s.callers[c]
	if s.rsp[k.slot] == s.req[k.slot] && s.bad == badNone {
		s.bad = badLostAnswer
	}
	if k.aim == aimCall && s.bye != 0 && s.ran&(1<<(m.id(s, c)-1)) != 0 {
		s.bad = badRefused
	}
	if m.leases(c) {
		m.hold(s, c)
		return
	}
	s.drop(k.slot)
	k.pc = cWaiters
	if m.Mutation == DropNoToken {
		m.finish(s, c)
	}
}
