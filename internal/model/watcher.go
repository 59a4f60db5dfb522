package model

// Where the watcher is: the names say what it does next.
const (
	waLook     = iota // look at the marks, and at the rsp of a marked slot
	waRsp             // look at the rsp of a slot whose mark was loaded
	waTake            // compare-and-swap the parked mark to none
	waHand            // hand the answer to the caller
	waWaiters         // freed an abandoned slot: look whether somebody waits for one
	waFreed           // put the token
	waAgain           // sleeps: look at slots once more, from slot on
	waAgainRsp        // the same: the rsp of a slot whose mark was loaded
	waPark            // wait for a token, the end of the conn
	waEven            // store the even word
	waMarks           // idle: look at the marks once more, from slot on
	waBusy            // compare-and-swap idle to looking
	waIdle            // wait for a token, the end of the conn
	waBack            // store looking
	waDone
)

const watcherName = "watcher"

// stepWatcher appends the steps of the client's watcher.
func (m *Calls) stepWatcher(s *State, out []Succ[State]) []Succ[State] {
	n := *s
	w := &n.watcher
	slot := w.slot
	emit := func(what string, pc uint8) {
		w.pc = pc
		out = append(out, Succ[State]{Who: watcherName, What: what, State: n})
		n = *s
	}
	// to forgets the slot: the next step does not need it.
	to := func(what string, pc uint8) {
		w.slot, w.mark = 0, 0
		emit(what, pc)
	}
	// next goes on to the next slot, or to end.
	next := func(what string, pc, end uint8) {
		w.mark = 0
		if w.slot++; int(w.slot) < m.Slots {
			emit(what, pc)
		} else {
			to(what, end)
		}
	}

	switch w.pc {
	case waLook:
		if s.ended[client] != 0 {
			to("sees the end of the conn, ends", waDone)
		}
		for i := range uint8(m.Slots) {
			mark := s.mark[i]
			parked := mark&markKind == markParked
			if mark == markNone || !(parked && !m.numbered()) && !m.answers(s, i, mark) {
				continue
			}
			if parked {
				w.slot, w.mark = i, mark
				if m.numbered() {
					emit("sees the rsp of a parked caller", waTake)
				} else {
					emit("loads a mark", waRsp)
				}
				continue
			}
			n.mark[i] = markNone
			if id := n.reqID[i]; id != 0 {
				n.ran |= 1 << (id - 1) // it must not run from now on
			}
			n.release(i)
			to("sees the rsp of an abandoned slot, frees it", waWaiters)
		}
		// It sleeps when it has seen marks and spun for a while, and goes idle
		// when it has seen none. What it has seen may no longer be so: either
		// may follow at any time, and the look after it has to find out.
		n.newSleep(client)
		if m.Mutation == WatcherNoSecondLook {
			to("stores the odd word", waPark)
		} else {
			to("stores the odd word", waAgain)
		}
		n.idle = 1
		if m.Mutation == IdleNoLook {
			to("stores idle", waIdle)
		} else {
			to("stores idle", waMarks)
		}
	case waRsp:
		if m.answers(s, slot, w.mark) {
			emit("sees the rsp of a parked caller", waTake)
		} else {
			to("looks at a parked caller's rsp: not there", waLook)
		}
	case waTake:
		if s.mark[slot] == w.mark {
			n.mark[slot] = markNone
			w.mark = 0
			emit("takes the parked mark", waHand)
		} else {
			to("finds the mark changed", waLook)
		}
	case waHand:
		n.hand |= 1 << slot
		to("hands over the answer", waLook)
	case waWaiters:
		if s.waiters > 0 {
			to("sees that somebody waits for a slot", waFreed)
		} else {
			to("sees that nobody waits for a slot", waLook)
		}
	case waFreed:
		n.freed = 1
		to("puts the freed token", waLook)

	case waAgain:
		switch w.mark = s.mark[slot]; {
		case w.mark == markNone:
			next("looks again: no mark", waAgain, waPark)
		case !m.numbered():
			emit("looks again: a mark", waAgainRsp)
		case m.answers(s, slot, w.mark):
			to("looks again: an answer", waEven)
		default:
			next("looks again: no answer", waAgain, waPark)
		}
	case waAgainRsp:
		if m.answers(s, slot, w.mark) {
			to("looks again: an answer", waEven)
		} else {
			next("looks again: no answer", waAgain, waPark)
		}
	case waPark:
		if s.token[client] != 0 {
			n.token[client] = 0
			emit("takes a token", waEven)
		}
		if s.ended[client] != 0 && m.Mutation != EndForgetsWatcher {
			emit("sees the end of the conn, ends", waDone)
		}
	case waEven:
		n.asleep[client] = 0
		to("stores the even word", waLook)

	case waMarks:
		mark := s.mark[slot]
		if m.Mutation == IdleForgetsAbandoned && mark&markKind == markAbandoned {
			mark = markNone
		}
		if mark != markNone {
			to("looks at the marks again: not idle", waBusy)
		} else {
			next("looks at the marks again: none", waMarks, waIdle)
		}
	case waBusy:
		n.idle = 0 // or a caller has done it, and puts a token that wakes in vain
		to("goes back to looking", waLook)
	case waIdle:
		if s.token[client] != 0 {
			n.token[client] = 0
			emit("takes a token", waBack)
		}
		if s.ended[client] != 0 && m.Mutation != EndForgetsWatcher {
			emit("sees the end of the conn, ends", waDone)
		}
	case waBack:
		n.idle = 0
		to("stores looking", waLook)
	}
	return out
}

// numbered reports whether a parked mark carries the number of the call.
func (m *Calls) numbered() bool { return !m.Recheck && m.Mutation != MarkWithoutNumber }

// answers reports whether slot's rsp is the answer to the call in mark.
func (m *Calls) answers(s *State, slot, mark uint8) bool {
	if m.numbered() {
		return s.rsp[slot] == mark>>2
	}
	return s.rsp[slot] == s.req[slot]
}
