package model

// A lease is a caller that claims one slot for all its calls. Its function may
// touch the slot's memory at any moment until it returns, which is no step of its
// own: checkSlot and checkMapped see to it that the slot is the lease's, and mapped,
// for as long as the function runs.

// lease appends the steps of caller c that only a lease has, and those of the
// mistakes around it.
func (m *Calls) lease(s *State, c int, out []Succ[State]) []Succ[State] {
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
	here := s.rsp[slot] == s.req[slot]
	abandoned := m.mark(s, slot, markAbandoned)

	switch k.pc {
	case cHold:
		if int(k.call) < m.Calls {
			if here || m.Mutation == LeaseNoWait {
				if here {
					n.settle(slot)
				}
				emit("calls", m.publishPC())
			} else {
				k.aim = aimOld
				emit("calls: looks at rsp, the old answer is not there", cSpin)
			}
		}
		switch {
		case here || m.Mutation == LeaseFrees:
			n.release(slot)
			emit("its function returns; looks at rsp: there, sets the free bit", cWaiters)
		case m.Mutation == EndMarksFirst:
			n.list |= 1 << slot
			n.mark[slot] = abandoned
			emit("its function returns; marks its slot abandoned", cTouch)
		default:
			k.aim = aimLeave
			emit("its function returns; looks at rsp: not there, parks", cPark)
		}
	case cOff:
		n.list &^= 1 << slot
		returns("clears its bit in the list; its call returns", m.hold)
	case cLeft:
		if here {
			n.release(slot)
		} else {
			n.drop(slot)
		}
		emit("sets the free bit", cWaiters)

	case cTouch:
		if here || s.ended[client] != 0 {
			emit("looks at rsp and at the end of the conn once more: there", cTouchBack)
		} else {
			n.idle, n.token[client] = 0, 1
			returns("looks at rsp and at the end of the conn once more: not there, returns", m.finish)
		}
	case cTouchBack:
		if s.mark[slot] == abandoned {
			n.mark[slot] = markNone
			n.list &^= 1 << slot
			emit("takes its mark back", cLeft)
		} else {
			returns("finds its mark taken by the watcher, returns", m.finish)
		}
	case cLeased:
		for i := range m.Callers {
			if other := s.callers[i]; m.leases(i) && other.slot == slot && other.owns() {
				n.release(slot)
				emit("looks whether its slot is leased: it is, now; frees it", cWaiters)
				return out
			}
		}
		returns("looks whether its slot is leased: it is not, returns", m.finish)
	}
	return out
}

// keep takes lease c, parked, off the watcher's list, and says what it does.
func (m *Calls) keep(s *State, c int) string {
	k := &s.callers[c]
	switch m.Mutation {
	case LeaseAbandons:
		s.mark[k.slot] = m.mark(s, k.slot, markAbandoned)
		m.hold(s, c)
		return "marks its slot abandoned, and keeps it; its call returns"
	case LeaseStaysParked:
		m.hold(s, c)
		return "leaves its mark; its call returns"
	}
	s.mark[k.slot] = markNone
	if m.List && m.Mutation != LeaseStaysListed {
		k.pc = cOff
		return "takes its mark back"
	}
	m.hold(s, c)
	return "takes its mark back, keeps its slot; its call returns"
}

// hold ends the call of lease c: its function goes on.
func (m *Calls) hold(s *State, c int) {
	m.over(s, c)
	k := &s.callers[c]
	*k = caller{pc: cHold, slot: k.slot, call: k.call + 1}
}
