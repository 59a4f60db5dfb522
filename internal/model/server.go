package model

const handlerName = "handler"

// stepOwn appends the step of handler i, on a goroutine of its own.
func (m *Calls) stepOwn(s *State, i int, out []Succ[State]) []Succ[State] {
	n := *s
	h := &n.handlers[i]
	if h.pc == woOff {
		return out
	}
	what := m.stepHandler(&n, h)
	if h.pc == woLeave { // leaving changes nothing that is shared
		*h = handler{}
		n.handlerDone()
	}
	return append(out, Succ[State]{Who: handlerName, What: what, State: n})
}

// handlerDone tells a server that shuts down that a handler is done.
func (s *State) handlerDone() {
	if s.leaving != 0 {
		s.token[server] = 1
	}
}

// drained reports whether no handler runs but for worker i, which asks.
func (m *Calls) drained(s *State, i int) bool {
	if m.Mutation == LeaveForgetsHandlers {
		return true
	}
	for _, h := range s.handlers {
		if h.pc != woOff {
			return false
		}
	}
	return s.workers[1-i].pc == woOff
}

// stepHandler moves h, a handler run by the worker or by a goroutine of its
// own, by one step, and returns what it did.
func (m *Calls) stepHandler(s *State, h *handler) string {
	slot := h.slot
	switch h.pc {
	case woRun:
		// Reading the request, running and writing the response touch only
		// what the server owns; Check sees to it that nobody else uses it
		// meanwhile. Let go moves before rsp, and nobody looks at it before.
		if m.Mutation != AnswerBeforeLetGo {
			s.letGo[slot] = (s.rsp[slot] + 1) % modulus
		}
		h.pc = woStore
		if m.Mutation == AnswerRingFirst {
			h.pc = woEarly
		}
		if m.Mutation == AnswerWaitsFirst {
			h.pc = woWaitsEarly
		}
		id := s.reqID[slot]
		if id == 0 {
			s.bad = badGarbage
			return "runs nothing"
		}
		if s.ran&(1<<(id-1)) != 0 {
			s.bad = badTwice
		}
		s.ran |= 1 << (id - 1)
		s.rspID[slot] = id
		return "runs, writes the response"
	case woRefuse:
		s.letGo[slot] = (s.rsp[slot] + 1) % modulus
		s.rspID[slot] = s.reqID[slot] | refused
		h.pc = woStore
		return "writes REFUSED"
	case woEarly:
		h.age = s.asleep[client]
		h.pc = woStore
		return "loads the client's doorbell (too early)"
	case woWaitsEarly:
		h.pc, h.num = woStore, 1
		if s.waits[slot] == (s.rsp[slot]+1)%modulus+1 {
			h.num = 2
			return "loads waits (too early): somebody is parked"
		}
		return "loads waits (too early): nobody is parked"
	case woStore:
		s.rsp[slot] = (s.rsp[slot] + 1) % modulus
		if m.Mutation == AnswerWaitsFirst {
			h.pc = woLeave
			if h.num == 2 {
				h.pc = woLoad
			}
			h.num = 0
			return "stores rsp"
		}
		switch {
		case m.Mutation == AnswerRingFirst && h.age != 0:
			h.pc = woCas
		case m.Mutation == AnswerRingFirst:
			h.pc = woLeave
		case m.Mutation == AnswerBeforeLetGo:
			h.pc = woLetGo
		default:
			h.pc = woWaits
			h.num = s.rsp[slot] + 1
		}
		return "stores rsp"
	case woLetGo:
		s.letGo[slot] = s.rsp[slot]
		h.pc = woWaits
		h.num = s.rsp[slot] + 1
		return "moves let go"
	case woWaits:
		num := h.num
		h.num = 0
		if s.waits[slot] != num {
			h.pc = woLeave
			return "loads waits: nobody is parked for this request"
		}
		h.pc = woLoad
		return "loads waits: somebody is parked"
	case woLoad:
		if s.asleep[client] != 0 {
			h.age, h.pc = 1, woCas
			return "loads the client's doorbell: asleep"
		}
		h.pc = woLeave
		return "loads the client's doorbell: awake"
	case woCas:
		h.pc = woLeave
		if s.ring(m, client, h.age) {
			h.pc = woSend
		}
		h.age = 0
		return "has it been rung for?"
	case woSend:
		s.send(client)
		h.pc = woLeave
		return "sends a ring"
	}
	panic("model: no such step of a handler")
}
