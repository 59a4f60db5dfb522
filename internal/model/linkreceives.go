package model

// Where a receiver is: the names say what it does next.
const (
	lrUse     = iota // begin to use the memory, look at closed and dead
	lrLook           // load written
	lrEnded          // EndLate: look at closed and dead
	lrTake           // take the handle
	lrLeft           // look at closed and the process once more
	lrRead           // copy the frame out, store read
	lrLate           // ReadEarly: copy the frame out
	lrWaits          // load waits
	lrSignal         // signal the event
	lrClear          // got a message: clear rang
	lrDeal           // the user looks at everything
	lrCleared        // RangLate: clear rang
	lrRang           // got none: swap rang
	lrAwait          // wait for the token
	lrEnd
)

// What became of a handle that the server takes.
const (
	_ = iota
	tookRight
	tookAnother
	tookNone
)

// receives appends the steps of a side's receiver, and of its user.
func (m *Links) receives(s *LinkState, i int, out []Succ[LinkState]) []Succ[LinkState] {
	n := *s
	a, b := &n.sides[i], &n.sides[1-i]
	if !m.hasReceiver(i) {
		return out
	}
	who := [...]string{"client's receiver", "server's receiver"}[i]
	emit := func(what string, pc uint8) {
		a.receiver = pc
		out = append(out, Succ[LinkState]{Who: who, What: what, State: n})
		n = *s
	}
	bit := uint8(1) << a.got // the handle that comes with the next frame
	takes := m.Handles && i == server
	// nothing is where it goes when there is neither a frame nor an end.
	nothing := func() uint8 {
		if a.second != 0 {
			a.second = 0
			return lrDeal
		}
		return lrRang
	}
	eof := func() uint8 {
		a.eof, a.seen = 1, b.published
		a.second, a.ending = 0, 0
		return lrEnd
	}
	switch a.receiver {
	case lrUse:
		ended := a.dead != 0 || b.closed != 0
		switch {
		case a.over != 0:
			a.second = 0
			emit("sees that this side has closed", lrEnd)
		case ended && m.Mutation != EndLate:
			a.ending = 1
			emit("begins to use the memory, sees that the peer has ended", lrLook)
		default:
			emit("begins to use the memory, sees that nobody has ended", lrLook)
		}
	case lrEnded:
		if a.dead != 0 || b.closed != 0 {
			emit("sees that the peer has ended, returns the end of file", eof())
		} else {
			emit("sees that the peer has not ended", nothing())
		}
	case lrLook:
		switch there := b.written != a.got; {
		case there:
			a.ending = 0
			if m.Mutation == WaitsBefore {
				a.asked = b.waits
			}
			if takes && m.Mutation != ReadUntaken {
				emit("loads written: a frame with a handle", lrTake)
			} else {
				emit("loads written: a frame", lrRead)
			}
		case m.Mutation == EndLate:
			emit("loads written: nothing", lrEnded)
		case a.ending != 0:
			emit("loads written: nothing; returns the end of file", eof())
		default:
			emit("loads written: nothing", nothing())
		}
	case lrTake:
		switch {
		case b.open&bit != 0:
			a.took = tookRight
			emit("takes the handle", lrLeft)
		case b.gone != 0:
			a.took = tookNone
			emit("cannot take a handle of a dead process", lrLeft)
		default:
			a.took = tookNone
			emit("finds no handle of that number", lrLeft)
			a.took = tookAnother
			emit("takes what has the number now", lrLeft)
		}
	case lrLeft:
		switch {
		case b.gone != 0, b.closed != 0 && m.Mutation != TakenBlindly:
			// It says that the handle is lost, and gives back what it has taken.
		case a.took == tookNone:
			n.bad = linkLiar
		case a.took == tookAnother:
			n.bad = linkStranger
		}
		a.took = 0
		if m.Mutation == ReadUntaken {
			emit("looks whether the client has left", lrWaits)
		} else {
			emit("looks whether the client has left", lrRead)
		}
	case lrRead:
		a.read = a.got + 1
		if m.Mutation == ReadEarly {
			emit("stores read", lrLate)
			break
		}
		m.copyOut(&n, i)
		if m.Mutation == ReadUntaken && takes {
			emit("copies the frame out, stores read", lrTake)
		} else {
			emit("copies the frame out, stores read", lrWaits)
		}
	case lrLate:
		m.copyOut(&n, i)
		emit("copies the frame out", lrWaits)
	case lrWaits:
		waits := b.waits != 0 && m.Mutation != WaitsUnseen
		if m.Mutation == WaitsBefore {
			waits = a.asked != 0
			a.asked = 0
		}
		a.got++
		if waits {
			emit("sees that somebody waits for room", lrSignal)
		} else {
			emit("sees that nobody waits for room", lrClear)
		}
	case lrSignal:
		b.event = 1
		emit("signals the event", lrClear)
	case lrClear:
		a.second = 0
		if m.Mutation != RangLate {
			a.rang = 0
		}
		emit("clears rang, returns the message", lrDeal)
	case lrDeal:
		a.seen = b.published
		if m.Mutation == RangLate {
			emit("looks at everything", lrCleared)
		} else {
			emit("looks at everything", lrUse)
		}
	case lrCleared:
		a.rang = 0
		emit("clears rang", lrUse)
	case lrRang:
		if a.rang != 0 && m.Mutation != RangForgotten {
			a.rang, a.second = 0, 1
			emit("sees that the event was signalled", lrUse)
			break
		}
		a.rang = 0
		emit("sees that the event was not signalled", lrAwait)
	case lrAwait:
		if a.wake != 0 {
			a.wake = 0
			emit("takes the token", lrUse)
		}
		if a.over != 0 {
			emit("sees that this side has closed", lrEnd)
		}
	}
	return out
}

// copyOut copies the next frame of the peer's out of the ring.
func (m *Links) copyOut(s *LinkState, i int) {
	if a, b := &s.sides[i], &s.sides[1-i]; b.ring[a.got%uint8(m.Room)] != a.got+1 {
		s.bad = linkMixed
	}
}

// Where the threads are that wait for objects.
const (
	lwWaits = iota // wait; store what has happened
	lwToken        // give the receiver and the sender their tokens
	lwLate         // TokenFirst, DeathTokenLate: store what has happened
	lwDone
)

// calledBack reports whether no callback runs.
func (a *linkSide) calledBack() bool {
	return a.eventThread == lwWaits && (a.watcher == lwWaits || a.watcher == lwDone)
}

// callsBack appends the steps of the threads that wait for the event and for the peer's end.
func (m *Links) callsBack(s *LinkState, i int, out []Succ[LinkState]) []Succ[LinkState] {
	n := *s
	a, b := &n.sides[i], &n.sides[1-i]
	who := [...]string{"client's callback", "server's callback"}[i]
	emit := func(what string) {
		out = append(out, Succ[LinkState]{Who: who, What: what, State: n})
		n = *s
	}
	stopped := a.closer == lcDone
	switch a.eventThread {
	case lwWaits:
		if a.event == 0 || stopped {
			break
		}
		a.event = 0
		a.eventThread = lwToken
		if m.Mutation == TokenFirst {
			emit("the event is signalled")
			break
		}
		a.rang = 1
		emit("the event is signalled: sets rang")
	case lwToken:
		a.wake = 1
		if m.Mutation != NoSpaceToken {
			a.space = 1
		}
		if a.eventThread = lwWaits; m.Mutation == TokenFirst {
			a.eventThread = lwLate
		}
		emit("gives the tokens")
	case lwLate:
		a.rang = 1
		a.eventThread = lwWaits
		emit("sets rang")
	}
	switch a.watcher {
	case lwWaits:
		if b.gone == 0 || stopped {
			break
		}
		a.watcher = lwToken
		if m.Mutation == DeathTokenLate {
			emit("the peer's process has ended")
			break
		}
		a.dead = 1
		emit("the peer's process has ended: sets dead")
	case lwToken:
		a.wake = 1
		if m.Mutation != DeathNoSpace {
			a.space = 1
		}
		if a.watcher = lwDone; m.Mutation == DeathTokenLate {
			a.watcher = lwLate
		}
		emit("gives the tokens, for the end")
	case lwLate:
		a.dead = 1
		a.watcher = lwDone
		emit("sets dead")
	}
	return out
}
