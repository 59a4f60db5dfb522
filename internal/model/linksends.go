package model

// Where a sender is: the names say what it does next.
const (
	lsIdle   = iota // begin to send
	lsUse           // begin to use the memory, look at closed and dead
	lsRoom          // load read, copy the frame in
	lsStore         // store written
	lsLate          // WrittenEarly: copy the frame in
	lsSignal        // signal the event
	lsWait          // store waits = 1
	lsSleep         // wait for the token
	lsUnwait        // sent: store waits = 0
	lsFail          // not sent: the same, close the handle
)

// Who closes.
const (
	lcOpen   = iota
	lcStore  // wait until nobody uses the memory, store closed
	lcSignal // signal the event
	lcFree   // close the handles, unmap the memory
	lcDone
)

// sends appends the steps of a side's sender.
func (m *Links) sends(s *LinkState, i int, out []Succ[LinkState]) []Succ[LinkState] {
	n := *s
	a, b := &n.sides[i], &n.sides[1-i]
	who := [...]string{"client's sender", "server's sender"}[i]
	emit := func(what string, pc uint8, chance bool) {
		a.sender = pc
		out = append(out, Succ[LinkState]{Who: who, What: what, State: n, Chance: chance})
		n = *s
	}
	handle := uint8(0) // the one that comes with the message
	if m.Handles && i == client {
		handle = 1 << a.put
	}
	switch a.sender {
	case lsIdle:
		if count := [...]int{m.Messages, m.Back}[i]; int(a.put) < count && a.over == 0 {
			a.open |= handle
			emit("begins to send", lsUse, true)
		}
	case lsUse:
		switch {
		case a.over != 0:
			emit("sees that this side has closed", lsFail, false)
		case a.dead != 0 || b.closed != 0:
			emit("sees that the peer has ended", lsFail, false)
		default:
			emit("begins to use the memory, sees that nobody has ended", lsRoom, false)
		}
	case lsRoom:
		for k := range b.read {
			if bit := uint8(1) << k; a.flight&bit != 0 {
				a.flight &^= bit
				n.closeHandle(bit)
			}
		}
		switch full := int(a.put-b.read) >= m.Room; {
		case !full && m.Mutation == WrittenEarly:
			emit("loads read: there is room", lsStore, false)
		case !full && m.Mutation == PutRingsFirst:
			b.event = 1
			a.ring[a.put%uint8(m.Room)] = a.put + 1
			emit("loads read: there is room; copies the frame in, signals the event", lsStore, false)
		case !full:
			a.ring[a.put%uint8(m.Room)] = a.put + 1
			emit("loads read: there is room; copies the frame in", lsStore, false)
		case a.waiting == 0 && m.Mutation == WaitsLate:
			a.waiting = 1
			emit("loads read: no room", lsUse, false)
		case a.waiting == 0 || a.waiting == 1 && m.Mutation == WaitsLate:
			emit("loads read: no room", lsWait, false)
		default:
			emit("loads read: still no room", lsSleep, false)
		}
	case lsLate:
		a.ring[(a.put-1)%uint8(m.Room)] = a.put
		emit("copies the frame in", lsSignal, false)
	case lsStore:
		a.put++
		a.written = a.put
		if m.Mutation != HandleAtOnce {
			a.flight |= handle
		}
		switch m.Mutation {
		case WrittenEarly:
			emit("stores written", lsLate, false)
		case PutRingsFirst:
			emit("stores written", a.sent(), false)
		default:
			emit("stores written", lsSignal, false)
		}
	case lsSignal:
		b.event = 1
		if m.Mutation == HandleAtOnce {
			n.closeHandle(handle >> 1)
		}
		emit("signals the event", a.sent(), false)
		if m.Mutation == HandleTwice {
			b.event = 1
			n.closeHandle(handle >> 1)
			emit("signals the event, is told that it could not, closes the handle", a.sent(), true)
		}
	case lsWait:
		if a.over == 0 {
			a.waits = 1
		}
		pc := uint8(lsUse)
		if m.Mutation == WaitsLate {
			pc = lsSleep
		}
		a.waiting++
		emit("stores waits = 1", pc, false)
	case lsSleep:
		if a.space != 0 {
			a.space = 0
			emit("takes the token for room", lsUse, false)
		}
		if a.over != 0 {
			emit("sees that this side has closed", lsFail, false)
		}
		if m.GiveUp {
			emit("gives up", lsFail, true)
		}
	case lsUnwait, lsFail:
		if a.over == 0 && a.waiting != 0 {
			a.waits = 0
		}
		a.waiting = 0
		if a.sender == lsFail && handle != 0 {
			n.closeHandle(handle)
		}
		emit("stores waits = 0, returns", lsIdle, false)
	}
	return out
}

// sent is where a sender goes that has sent its frame.
func (a *linkSide) sent() uint8 {
	if a.waiting != 0 {
		return lsUnwait
	}
	return lsIdle
}

// rings appends the steps of who rings without a message.
func (m *Links) rings(s *LinkState, i int, out []Succ[LinkState]) []Succ[LinkState] {
	n := *s
	a := &n.sides[i]
	who := [...]string{"client's ringer", "server's ringer"}[i]
	switch {
	case a.ringer != 0:
		a.ringer = 0
		if a.over == 0 {
			n.sides[1-i].event = 1
		}
		out = append(out, Succ[LinkState]{Who: who, What: "rings: signals the event", State: n})
	case int(a.published) < [...]int{m.Rings, m.BackRings}[i] && a.over == 0:
		a.published++
		a.ringer = 1
		out = append(out, Succ[LinkState]{Who: who, What: "publishes", State: n, Chance: true})
	}
	return out
}

// closes appends the steps of who closes a side: its user at any time, or once the receiver has returned an error.
func (m *Links) closes(s *LinkState, i int, out []Succ[LinkState]) []Succ[LinkState] {
	n := *s
	a, b := &n.sides[i], &n.sides[1-i]
	who := [...]string{"client's Close", "server's Close"}[i]
	emit := func(what string, pc uint8, chance bool) {
		a.closer = pc
		out = append(out, Succ[LinkState]{Who: who, What: what, State: n, Chance: chance})
		n = *s
	}
	switch a.closer {
	case lcOpen:
		if ended := a.receiver == lrEnd && !m.Lingers; ended || m.Closes>>i&1 != 0 {
			a.over = 1
			emit("begins", lcStore, !ended)
		}
	case lcStore:
		switch {
		case a.uses() && m.Mutation != CloseUnder:
		case m.Mutation == CloseRingsOnce:
			b.event = 1
			emit("nobody uses the memory any more, signals the event", lcSignal, false)
		case m.Mutation == CloseSilent:
			a.closed = 1
			emit("nobody uses the memory any more, stores closed", lcFree, false)
		default:
			a.closed = 1
			emit("nobody uses the memory any more, stores closed", lcSignal, false)
		}
	case lcSignal:
		if m.Mutation == CloseRingsOnce {
			a.closed = 1
			emit("stores closed", lcFree, false)
			break
		}
		b.event = 1
		emit("signals the event", lcFree, false)
	case lcFree:
		if !a.calledBack() {
			break
		}
		for k := range 8 {
			if bit := uint8(1) << k; a.flight&bit != 0 && m.Mutation != HandleKept {
				n.closeHandle(bit)
			}
		}
		a.flight = 0
		emit("waits for no object any more, closes the handles, unmaps the memory", lcDone, false)
	}
	return out
}
