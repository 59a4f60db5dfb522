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
	// An answer that was handed over is there, unless the hand-over was late
	// and meant an earlier call; then the caller that looks parks again.
	handed := uint8(cRelease)
	if m.Recheck {
		handed = cCheck
	}

	switch k.pc {
	case cSpin:
		// Spinning in vain is no step; going to park always is one.
		if here {
			emit("sees its rsp", cRelease)
		}
		if s.ended[client] != 0 {
			emit("sees the end of the conn", cLast)
		}
		if m.Cancel && m.Mutation == AbandonBlind {
			emit("its context ends while it spins", cBlind)
			chance()
		}
		m.park(&n, c)
		emit("stops spinning, sets its parked mark", k.pc)
	case cBlind:
		n.mark[slot] = m.mark(s, slot, markAbandoned)
		returns("marks its slot abandoned, returns", m.finish)
	case cPark:
		m.park(&n, c)
		emit("sets its parked mark", k.pc)
	case cAgain:
		if here {
			emit("looks at rsp again: there", cBack)
		} else {
			emit("looks at rsp again: not there", cIdle)
		}
	case cCheck:
		if here {
			emit("looks at rsp: there", cRelease)
		} else {
			emit("looks at rsp: not there after all", cPark)
		}
	case cBack:
		if s.mark[slot] == m.mark(s, slot, markParked) {
			n.mark[slot] = markNone
			emit("takes its mark back", cRelease)
		} else {
			emit("finds its mark taken by the watcher", cHand)
		}
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
		mine := s.mark[slot] == m.mark(s, slot, markParked)
		if s.hand&(1<<slot) != 0 {
			n.hand &^= 1 << slot
			emit("is handed its answer", handed)
		}
		if m.Cancel && !mine {
			emit("its context ends while it is parked: the watcher has its mark", cHand)
			chance()
		} else if m.Cancel && m.Mutation == AbandonFrees {
			n.mark[slot] = markNone
			n.release(slot)
			returns("its context ends while it is parked: frees its slot, returns", m.finish)
			chance()
		} else if m.Cancel {
			n.mark[slot] = m.mark(s, slot, markAbandoned)
			returns("its context ends while it is parked: marks its slot abandoned, returns", m.finish)
			chance()
		}
		if s.ended[client] != 0 && !mine {
			emit("the conn ends while it is parked: the watcher has its mark", cHand)
		} else if s.ended[client] != 0 {
			n.mark[slot] = markNone
			emit("the conn ends while it is parked: takes its mark back", cLast)
		}
	case cHand:
		if s.hand&(1<<slot) != 0 {
			n.hand &^= 1 << slot
			emit("is handed its answer", handed)
		}
	case cLast:
		if here && m.Mutation != NoLastLook {
			emit("looks at rsp once more: there", cRelease)
		} else {
			returns("the conn has ended: returns", m.gone)
		}
	case cRelease:
		if !m.Local {
			m.accept(&n, c)
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

// park sets caller c's parked mark.
func (m *Calls) park(s *State, c int) {
	k := &s.callers[c]
	s.mark[k.slot] = m.mark(s, k.slot, markParked)
	k.pc = cAgain
	if m.Mutation == ParkNoLook {
		k.pc = cIdle
	}
}
