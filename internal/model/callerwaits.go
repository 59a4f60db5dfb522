package model

// callerWaits appends the steps of caller c from the first look for its
// answer to the release of its slot.
func (m *Calls) callerWaits(s *State, c int, out []Succ[State]) []Succ[State] {
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
	chance := func() { out[len(out)-1].Chance = true }
	here := s.rsp[slot] == s.req[slot]
	if !here && !m.Local && s.rsp[slot] != (s.req[slot]+modulus-1)%modulus {
		n.bad = badLie
	}
	mine := s.mark[slot] == m.mark(s, slot, markParked)

	switch k.pc {
	case cSpin:
		// Spinning in vain is no step; going to park always is one.
		if here {
			returns("sees its rsp", m.answered)
		}
		if m.Cancel && m.Mutation == AbandonBlind {
			emit("its context ends while it spins", cBlind)
			chance()
		}
		what := m.park(&n, c)
		emit("stops spinning, "+what, k.pc)
	case cBlind:
		n.mark[slot] = m.mark(s, slot, markAbandoned)
		returns("marks its slot abandoned, returns", m.finish)
	case cPark:
		what := m.park(&n, c)
		emit(what, k.pc)
	case cMark:
		m.setParked(&n, c)
		emit("sets its parked mark", k.pc)
	case cWaits:
		n.waits[slot] = s.req[slot] + 1
		next := uint8(cAgain)
		switch m.Mutation {
		case ParkNoLook, ParkWaitsLate:
			next = cIdle
		case ListLate:
			next = cListLate
		}
		emit("stores waits", next)
	case cListLate:
		n.list |= 1 << slot
		emit("sets its bit in the list (too late)", cAgain)
	case cAgain:
		switch {
		case here:
			emit("looks at rsp again: there", cBack)
		case s.ended[client] != 0 && m.Mutation != ParkForgetsEnd:
			emit("looks at the end of the conn: it has ended", cBack)
		case m.Mutation == ParkWaitsLate:
			emit("looks at rsp again: not there", cWaits)
		default:
			emit("looks at rsp again: not there", cIdle)
		}
	case cCheck:
		switch {
		case here:
			emit("looks at rsp: there", cRelease)
		case s.ended[client] != 0:
			emit("looks at rsp: not there, and the conn has ended", cLast)
		default:
			emit("looks at rsp: not there after all", cPark)
		}
	case cBack:
		switch {
		case !mine:
			emit("finds its mark taken by the watcher", cHand)
		case m.List:
			n.mark[slot] = markNone
			emit("takes its mark back", cUnlist)
		default:
			n.mark[slot] = markNone
			returns("takes its mark back", m.answered)
		}
	case cUnlist:
		n.list &^= 1 << slot
		returns("clears its bit in the list", m.answered)
	case cIdle:
		if s.idle != 0 {
			n.idle = 0
			emit("compare-and-swaps the watcher from idle to looking", cWake)
		} else {
			emit("sees that the watcher is not idle", cParked)
		}
	case cWake:
		n.token[client] = 1
		emit("puts the watcher's token", cParked)
	case cParked:
		if k.aim == aimLeave {
			if mine {
				n.mark[slot] = m.mark(s, slot, markAbandoned)
				returns("marks its slot abandoned, returns", m.finish)
			} else {
				emit("finds its mark taken by the watcher", cHand)
			}
			break
		}
		out = m.handed(s, c, out)
		if m.Cancel {
			out = m.giveUp(s, c, mine, out)
		}
	case cHand:
		out = m.handed(s, c, out)
	case cLast:
		switch {
		case here && m.Mutation != NoLastLook:
			returns("looks at rsp once more: there", m.answered)
		case s.ended[client] == 0:
			emit("takes the answer that it was handed, which is none", cRelease)
		default:
			returns("the conn has ended: its call returns", m.gone)
		}
	case cRelease:
		if !m.Local {
			m.accept(&n, c)
		}
		if m.leases(c) {
			n.settle(slot)
			returns("takes the result, keeps the slot", m.hold)
			break
		}
		n.release(slot)
		if m.Mutation == ReleaseNoToken {
			returns("takes the result, sets the free bit, returns", m.finish)
		} else {
			emit("takes the result, sets the free bit", cWaiters)
		}
	case cWaiters:
		if s.waiters > 0 {
			emit("sees a waiter", cFreed)
		} else {
			returns("sees no waiter, returns", m.finish)
		}
	case cFreed:
		n.freed = 1
		returns("puts the freed token, returns", m.finish)
	}
	return out
}

// handed appends the step of caller c that the watcher has dealt with. The answer
// is there, or the conn has ended, unless the hand-over was late and meant an
// earlier call; then the caller that looks parks again.
func (m *Calls) handed(s *State, c int, out []Succ[State]) []Succ[State] {
	n := *s
	k := &n.callers[c]
	if s.hand&(1<<k.slot) == 0 {
		return out
	}
	n.hand &^= 1 << k.slot
	if m.Recheck {
		k.pc = cCheck
	} else {
		m.answered(&n, c)
	}
	return append(out, Succ[State]{Who: callerNames[c], What: "is handed its answer", State: n})
}

// giveUp appends the step of caller c, parked, whose context ends.
func (m *Calls) giveUp(s *State, c int, mine bool, out []Succ[State]) []Succ[State] {
	n := *s
	k := &n.callers[c]
	what := "its context ends while it is parked: "
	switch {
	case !mine:
		k.pc = cHand
		what += "the watcher has its mark"
	case m.leases(c):
		what += m.keep(&n, c)
	case m.Mutation == AbandonFrees:
		n.mark[k.slot] = markNone
		n.release(k.slot)
		m.finish(&n, c)
		what += "frees its slot, returns"
	case m.Mutation == LeasedLate:
		n.mark[k.slot] = m.mark(s, k.slot, markAbandoned)
		k.pc = cLeased
		what += "marks its slot abandoned"
	default:
		n.mark[k.slot] = m.mark(s, k.slot, markAbandoned)
		m.finish(&n, c)
		what += "marks its slot abandoned, returns"
	}
	return append(out, Succ[State]{Who: callerNames[c], What: what, State: n, Chance: true})
}

// answered is where caller c goes once its wait is over: the answer is there, or
// the conn has ended.
func (m *Calls) answered(s *State, c int) {
	k := &s.callers[c]
	here := s.rsp[k.slot] == s.req[k.slot]
	switch {
	case k.aim == aimLeave:
		k.pc = cLeft
	case !here || m.Mutation == NoLastLook && s.ended[client] != 0:
		k.pc = cLast
	case k.aim == aimOld:
		s.settle(k.slot)
		k.aim, k.pc = aimCall, m.publishPC()
	default:
		k.pc = cRelease
	}
}

// accept checks that the response part holds the answer that caller c asked for.
func (m *Calls) accept(s *State, c int) {
	id, slot := m.id(s, c), s.callers[c].slot
	ran := s.ran&(1<<(id-1)) != 0
	switch s.rspID[slot] {
	case id:
		if !ran {
			s.bad = badNotRun
		}
	case id | refused:
		if ran {
			s.bad = badRefused
		}
	default:
		s.bad = badAnswer
	}
}

// park begins to park caller c, and says what it does.
func (m *Calls) park(s *State, c int) string {
	k := &s.callers[c]
	if m.List && m.Mutation != ListLate {
		s.list |= 1 << k.slot
		k.pc = cMark
		return "sets its bit in the list"
	}
	m.setParked(s, c)
	return "sets its parked mark"
}

// setParked sets caller c's parked mark.
func (m *Calls) setParked(s *State, c int) {
	k := &s.callers[c]
	s.mark[k.slot] = m.mark(s, k.slot, markParked)
	k.pc = cWaits
	if m.Mutation == ParkWaitsLate {
		k.pc = cAgain
	}
}
