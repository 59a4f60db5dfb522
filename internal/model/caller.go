package model

// Where a caller is: the names say what it does next.
const (
	cStart     = iota // take a free bit
	cRaise            // raise the counter of waiters
	cTry              // take a free bit, as a waiter
	cWait             // wait for a token, the context, the end of the conn
	cOut              // give up: lower the counter, go on as from cLower
	cLower            // has a slot: lower the counter
	cMore             // look whether free bits remain
	cPass             // pass the token on
	cLate             // has claimed a slot after the end of the conn: set the free bit
	cEarly            // RequestRingFirst: load the doorbell
	cPublish          // write the request and store req
	cBit              // set the pending bit
	cLoad             // load the doorbell word
	cRung             // private compare-and-swap: has this sleep been rung for?
	cSend             // send the ring
	cSpin             // look at rsp
	cPark             // begin to park: List: set the slot's bit in the list; else as cMark
	cMark             // set the parked mark
	cWaits            // store waits
	cListLate         // ListLate: set the bit
	cAgain            // look at rsp and at the end of the conn once more
	cBack             // take the mark back
	cUnlist           // List: clear the bit
	cIdle             // compare-and-swap the watcher from idle to looking
	cWake             // put its token
	cParked           // wait for the answer, or the context
	cCheck            // Recheck: look at rsp after a hand-over
	cHand             // the watcher has the mark: wait for the answer only
	cBlind            // AbandonBlind: mark the slot abandoned
	cLast             // look at rsp once more
	cHold             // a lease between two calls: its function runs
	cOff              // a lease that gives up: List: clear the bit
	cLeft             // a lease whose function has returned: set the free bit
	cRelease          // read the response; set the free bit, unless it is a lease
	cWaiters          // look whether somebody waits for a slot
	cFreed            // put the token
	cTouch            // EndMarksFirst: look at rsp once more
	cTouchBack        // the same: take the mark back
	cLeased           // LeasedLate: look whether the slot is leased
	cDone             // all calls have returned
)

var callerNames = [maxCallers]string{"caller A", "caller B", "caller C", "caller D"}

// owns reports whether a caller owns a slot, wholly or by a published request.
func (k caller) owns() bool { return k.pc >= cLower && k.pc <= cRelease && k.aim != aimOut }

// touches reports whether a caller may touch a slot's memory.
func (k caller) touches() bool { return k.owns() && k.aim != aimLate || k.pc == cTouch }

// leases reports whether caller c is a lease.
func (m *Calls) leases(c int) bool { return c < m.Leases }

// publishPC is where a caller goes that calls in a slot of its own.
func (m *Calls) publishPC() uint8 {
	if m.Local {
		return cRelease
	}
	if m.Mutation == RequestRingFirst {
		return cEarly
	}
	return cPublish
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
		if n.take(c) {
			returns("takes a free slot", m.claimed)
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
		k.aim = aimOut
		fallthrough
	case cLower:
		n.waiters--
		if n.waiters > 0 && m.Mutation != NoPassOn {
			emit("lowers waiters; others wait", cMore)
		} else {
			returns("lowers waiters", m.claimed)
		}
	case cMore:
		if s.free|s.dropped != 0 {
			emit("sees that free slots remain", cPass)
		} else {
			returns("sees that no free slot remains", m.claimed)
		}
	case cPass:
		n.freed = 1
		returns("passes the freed token on", m.claimed)
	case cLate:
		n.dropped |= 1 << slot
		emit("sees the end of the conn, sets the free bit again", cWaiters)

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
	case cHold, cOff, cLeft, cTouch, cTouchBack, cLeased:
		out = m.lease(s, c, out)
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
	if s.alive(side) && s.closed == 0 && s.rings[side] < socketRoom {
		s.rings[side]++
	}
}
