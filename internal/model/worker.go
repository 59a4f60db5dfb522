package model

import "math/bits"

// Where a worker is: the names say what it does next.
const (
	woOff        = iota // the standby, or ended
	woLook              // look at the req of the hinted slot, and at the pending bits
	woReq               // look at the req of a slot whose bit differs
	woTake              // Overtake: move seen, begin the handler
	woRefuse            // write REFUSED, move let go
	woRun               // run the handler, write the response, move let go
	woEarly             // AnswerRingFirst: load the doorbell
	woWaitsEarly        // AnswerWaitsFirst: load waits
	woStore             // store rsp
	woWaits             // load the slot's waits: is somebody parked?
	woLoad              // load the client's doorbell word
	woCas               // private compare-and-swap: has this sleep been rung for?
	woSend              // send the ring
	woLetGo             // AnswerBeforeLetGo: move let go
	woLeave             // leave the handler: is the role still its own?
	woBits              // sleeps: look at the pending bits once more
	woReq2              // the same: req
	woPark              // wait for a token, the end of the conn
	woEven              // store the even word
	woDoze              // dozes: store the next odd word
	woDozeLook          // dozes: look at the hinted slot, and at the pending bits
	woDozed             // has run what it found: park, unless the server shuts down
)

var workerNames = [2]string{"worker", "standby"}

// differs returns a bit for each slot whose pending bit differs from seen.
func (m *Calls) differs(s *State) uint8 {
	d := s.pending
	for i := range m.Slots {
		d ^= s.seen[i] & 1 << i
	}
	return d
}

// stepWorker appends the steps of worker i.
func (m *Calls) stepWorker(s *State, i int, out []Succ[State]) []Succ[State] {
	n := *s
	w := &n.workers[i]
	emit := func(what string, pc uint8) {
		w.pc = pc
		out = append(out, Succ[State]{Who: workerNames[i], What: what, State: n})
		n = *s
	}
	switch w.pc {
	case woLook:
		if s.ended[server] != 0 {
			*w = worker{}
			emit("sees the end of the conn, ends", woOff)
			break
		}
		if s.req[s.hint] != s.seen[s.hint] {
			w.slot, w.hinted = s.hint, 1
			if m.Overtake {
				emit("looks at the hinted slot: a request", woTake)
			} else {
				out = m.take(n, i, "takes the hinted slot", out)
				n = *s
			}
		}
		d := m.differs(s)
		if d != 0 {
			w.look, w.slot = d, uint8(bits.TrailingZeros8(d))
			emit("looks at the pending bits: one differs", woReq)
		}
		if d == 0 && s.leaving != 0 && m.drained(s, i) {
			n.die(server)
			n.bye = 1
			out = append(out, Succ[State]{Who: workerNames[i], What: "finds nothing, no handler runs: sends BYE, closes", State: n})
			n = *s
		}
		// It sleeps when it has found nothing for a while; by then there may
		// be something: it may sleep at any time, and the look after it has to
		// find out.
		if s.asleep[server] == 0 {
			n.newSleep(server)
		} else {
			n.asleep[server] = 0 // StandbyStaysOdd: the word after an odd one
		}
		if m.Mutation == WorkerNoSecondLook {
			emit("stores the odd word", woPark)
		} else {
			emit("stores the odd word", woBits)
		}
	case woReq:
		if s.req[w.slot] != s.seen[w.slot] || m.Mutation == TrustPendingBit {
			if m.Overtake {
				emit("looks at req: a request", woTake)
			} else {
				out = m.take(n, i, "takes a pending slot", out)
			}
			break
		}
		w.look &^= 1 << w.slot
		emit("looks at req: the bit lags behind", m.goOn(w))
	case woTake:
		out = m.take(n, i, "takes the slot", out)
	case woRefuse, woRun, woStore, woEarly, woWaits, woWaitsEarly, woLoad, woCas, woSend, woLetGo:
		h := handler{w.pc, w.slot, w.age, w.num}
		what := m.stepHandler(&n, &h)
		w.age, w.num = h.age, h.num
		if h.pc == woLeave && !m.Overtake { // nobody can have taken the role
			h.pc = m.goOn(w)
		}
		emit(what, h.pc)
	case woLeave:
		w.age = 0
		own := int(s.role) == i
		switch {
		case own || m.Mutation == RoleIgnored:
			if own {
				n.busy = 0
			}
			emit("leaves the handler with its role", m.goOn(w))
		default:
			n.handlerDone()
			*w = worker{}
			emit("has lost its role, ends", woOff)
		}

	case woBits:
		if w.look = m.differs(s); w.look == 0 && s.leaving != 0 && m.drained(s, i) && m.Mutation != LeaveNoLook {
			emit("second look: shutting down, and no handler runs", woEven)
		} else if w.look == 0 {
			emit("second look: nothing, parks", woPark)
		} else {
			w.slot = uint8(bits.TrailingZeros8(w.look))
			emit("second look: a pending bit differs", woReq2)
		}
	case woReq2:
		switch w.look &^= 1 << w.slot; {
		case s.req[w.slot] != s.seen[w.slot]:
			w.look, w.slot = 0, 0
			emit("second look: a request", woEven)
		case w.look != 0:
			w.slot = uint8(bits.TrailingZeros8(w.look))
			emit("second look: the bit lags behind", woReq2)
		default:
			w.slot = 0
			emit("second look: the bit lags behind, parks", woPark)
		}
	case woEven:
		n.asleep[server] = 0
		emit("stores the even word", woLook)
	case woPark:
		if s.token[server] != 0 {
			n.token[server] = 0
			emit("takes a token", woEven)
			if m.Doze {
				n.token[server] = 0
				emit("takes a token, will doze", m.dozeFirst())
			}
		}
		if s.ended[server] != 0 && m.Mutation != EndForgetsWorker {
			*w = worker{}
			emit("sees the end of the conn, ends", woOff)
		}
	default:
		out = m.stepDoze(s, i, out)
	}
	return out
}

// take moves seen and starts the handler of worker i's slot, inline or on a
// goroutine of its own, or refuses. It is one step with the look at req unless
// another worker may come between.
func (m *Calls) take(n State, i int, what string, out []Succ[State]) []Succ[State] {
	w := &n.workers[i]
	slot := w.slot
	if m.Mutation != TrustPendingBit &&
		(n.req[slot] != (n.seen[slot]+1)%modulus || n.letGo[slot] != n.seen[slot]) {
		n.bad = badLie
	}
	if w.hinted == 0 || m.Mutation != HintKeepsSeen {
		n.seen[slot] = (n.seen[slot] + 1) % modulus
	}
	n.hint = slot
	w.hinted = 0
	switch {
	case m.Mutation == DozeParksEarly && w.doze != dozeNone:
		w.look, w.doze = 0, dozeRest
	case w.doze == dozeRest:
		w.look &^= 1 << slot
	default:
		w.look = 0
	}
	// The handler's first step is made at once: it touches only what the
	// server owns from the take on.
	taken, h := n, handler{pc: woRun, slot: slot}
	if n.leaving != 0 {
		h.pc = woRefuse
	}
	if m.Handlers != Own || n.leaving != 0 {
		if m.Overtake && int(n.role) == i {
			n.busy = 1
		}
		ran := h
		m.stepHandler(&n, &ran)
		n.workers[i].pc = ran.pc
		out = append(out, Succ[State]{Who: workerNames[i], What: what + ", runs the handler", State: n})
		n = taken
	}
	if m.Handlers != Inline && n.leaving == 0 {
		for g := range n.handlers {
			if n.handlers[g].pc == woOff {
				m.stepHandler(&n, &h)
				n.handlers[g] = h
				n.workers[i].pc = m.goOn(&n.workers[i])
				out = append(out, Succ[State]{Who: workerNames[i], What: what + ", starts a goroutine that runs the handler", State: n})
				break
			}
		}
	}
	return out
}
