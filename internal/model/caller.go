package model

import "math/bits"

// Where a caller is: the names say what it does next.
const (
	cStart   = iota // take a free bit
	cRaise          // raise the counter of waiters
	cTry            // take a free bit, as a waiter
	cWait           // wait for a token, the context, the end of the conn
	cOut            // give up: lower the counter
	cLower          // has a slot: lower the counter
	cMore           // look whether free bits remain
	cPass           // pass the token on
	cEarly          // RequestRingFirst: load the doorbell
	cPublish        // write the request and store req
	cBit            // set the pending bit
	cLoad           // load the doorbell word
	cRung           // private compare-and-swap: has this sleep been rung for?
	cSend           // send the ring
	cSpin           // look at rsp
	cPark           // set the parked mark
	cAgain          // look at rsp once more
	cBack           // take the mark back
	cIdle           // compare-and-swap the watcher from idle to looking
	cWake           // put its token
	cParked         // wait for the answer, the context, the end of the conn
	cCheck          // Recheck: look at rsp after a hand-over
	cHand           // the watcher has the mark: wait for the answer only
	cBlind          // AbandonBlind: mark the slot abandoned
	cLast           // look at rsp once more
	cRelease        // read the response, set the free bit
	cWaiters        // look whether somebody waits for a slot
	cFreed          // put the token
	cDone           // all calls have returned
)

var callerNames = [maxCallers]string{"caller A", "caller B", "caller C", "caller D"}

// owns reports whether a caller at pc owns its slot, wholly or by a published request.
func owns(pc uint8) bool { return pc >= cLower && pc <= cRelease }

// mark returns a mark of the given kind for slot s's current call.
func (m *Calls) mark(s *State, slot, kind uint8) uint8 {
	if !m.numbered() {
		return kind
	}
	return kind | s.req[slot]<<2
}

// publishPC is where a caller goes once a slot is its own.
func (m *Calls) publishPC() uint8 {
	if m.Local {
		return cRelease
	}
	if m.Mutation == RequestRingFirst {
		return cEarly
	}
	return cPublish
}

// finish ends caller c's current call, without a slot.
func (m *Calls) finish(s *State, c int) {
	// A run after this would be a mistake, so the ghost bit may as well be
	// set: it merges what was run with what was never published. Only a call
	// whose request is still on its way may yet run.
	id := m.id(s, c)
	pendingRun := false
	for i := range m.Slots {
		pendingRun = pendingRun || s.reqID[i] == id
	}
	if !pendingRun {
		s.ran |= 1 << (id - 1)
	}
	k := &s.callers[c]
	*k = caller{pc: cStart, call: k.call + 1}
	if int(k.call) == m.Calls {
		k.pc = cDone
	}
}

// gone ends caller c's call because the conn has ended.
func (m *Calls) gone(s *State, c int) {
	k := &s.callers[c]
	if owns(k.pc) {
		if s.rsp[k.slot] == s.req[k.slot] && s.bad == badNone {
			s.bad = badLostAnswer
		}
		if s.bye != 0 && s.ran&(1<<(m.id(s, c)-1)) != 0 {
			s.bad = badRefused
		}
		s.dropped |= 1 << k.slot
		s.mark[k.slot] = 0
		s.reqID[k.slot], s.rspID[k.slot] = 0, 0
	}
	m.finish(s, c)
}

// take takes the lowest free bit: a loop of loads and compare-and-swaps, which
// takes effect in its last one.
func (s *State) take(c int) bool {
	if s.free == 0 {
		return false
	}
	i := uint8(bits.TrailingZeros8(s.free))
	s.free &^= 1 << i
	s.callers[c].slot = i
	return true
}

// release sets the free bit. What the parts hold no longer matters; a look at
// them from now on is a mistake, which the zeros make visible.
func (s *State) release(slot uint8) {
	s.free |= 1 << slot
	s.reqID[slot], s.rspID[slot] = 0, 0
}

// caller appends the steps of caller c.
func (m *Calls) caller(s *State, c int, out []Succ[State]) []Succ[State] {
	n := *s
	k := &n.callers[c]
	slot := k.slot
	emit := func(what string, pc uint8) {
		k.pc = pc
		out = append(out, Succ[State]{Who: callerNames[c], What: what, State: n})
		n = *s
	}
	returns := func(what string, end func(*State, int)) {
		end(&n, c)
		out = append(out, Succ[State]{Who: callerNames[c], What: what, State: n})
		n = *s
	}

	switch k.pc {
	case cStart:
		if s.ended[client] != 0 {
			returns("the conn has ended: returns", m.gone)
		} else if n.take(c) {
			emit("takes a free slot", m.publishPC())
		} else {
			emit("finds no free slot", cRaise)
		}
	case cRaise:
		n.waiters++
		if m.Mutation == WaiterNoRetry {
			emit("raises waiters", cWait)
		} else {
			emit("raises waiters", cTry)
		}
	case cTry:
		if n.take(c) {
			emit("takes a free slot, as a waiter", cLower)
		} else {
			emit("finds no free slot, waits", cWait)
		}
	case cWait:
		if s.freed != 0 {
			n.freed = 0
			emit("takes the freed token", cTry)
		}
		if m.Cancel {
			emit("its context ends while it waits for a slot", cOut)
			out[len(out)-1].Chance = true
		}
		if s.ended[client] != 0 {
			emit("the conn ends while it waits for a slot", cOut)
		}
	case cOut:
		n.waiters--
		returns("lowers waiters, returns", m.finish)
	case cLower:
		n.waiters--
		if n.waiters > 0 && m.Mutation != NoPassOn {
			emit("lowers waiters; others wait", cMore)
		} else {
			emit("lowers waiters", m.publishPC())
		}
	case cMore:
		if n.free != 0 {
			emit("sees that free slots remain", cPass)
		} else {
			emit("sees that no free slot remains", m.publishPC())
		}
	case cPass:
		n.freed = 1
		emit("passes the freed token on", m.publishPC())

	case cEarly:
		k.age = s.asleep[server] // 1 is the age of the newest sleep
		emit("loads the server's doorbell (too early)", cPublish)
	case cPublish:
		n.req[slot] = (n.req[slot] + 1) % modulus
		n.reqID[slot] = m.id(s, c)
		emit("writes the request, stores req", cBit)
	case cBit:
		n.pending = n.pending&^(1<<slot) | n.req[slot]&1<<slot
		if m.Mutation == RequestRingFirst {
			if k.age != 0 {
				emit("sets the pending bit", cRung)
			} else {
				emit("sets the pending bit", cSpin)
			}
			break
		}
		emit("sets the pending bit", cLoad)
	case cLoad:
		if s.asleep[server] != 0 {
			k.age = 1
			emit("loads the server's doorbell: asleep", cRung)
		} else {
			emit("loads the server's doorbell: awake", cSpin)
		}
	case cRung:
		if n.ring(m, server, k.age) {
			k.age = 0
			emit("has to ring", cSend)
		} else {
			k.age = 0
			emit("somebody has rung already", cSpin)
		}
	case cSend:
		n.send(server)
		emit("sends a ring", cSpin)
	default:
		out = m.callerWaits(s, c, out)
	}
	return out
}

// ring is the private compare-and-swap on the last number rung for; it is
// repeated until it succeeds or finds the number there. It reports whether
// the ring is to be sent.
func (s *State) ring(m *Calls, side int, age uint8) bool {
	if m.Mutation == RingOnce {
		first := s.once[side] == 0
		s.once[side] = 1
		return first
	}
	if s.rung[side] == age {
		return false
	}
	s.rung[side] = age
	return true
}

// send puts a ring for side into the socket. A full socket drops it, a dead
// peer's refuses it.
func (s *State) send(side int) {
	if s.alive(side) && s.rings[side] < socketRoom {
		s.rings[side]++
	}
}
