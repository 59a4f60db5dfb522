package model

import "math/bits"

// Where the watcher is: the names say what it does next.
const (
	waLook      = iota // look at the marks, and at the rsp of a marked slot
	waSlot             // List: look at the mark and the rsp of a slot in the list
	waRsp              // Recheck: look at the rsp of a slot whose mark was loaded
	waTake             // Recheck: compare-and-swap the parked mark to none
	waHand             // clear the bit in the list, hand the answer to the caller
	waClear            // HandEarly: clear the bit
	waWaiters          // freed an abandoned slot: look whether somebody waits for one
	waFreed            // put the token
	waAgain            // sleeps: look at slots once more, from slot on; List: at the list
	waAgainSlot        // List: the same: the mark and the rsp of a slot in the list
	waAgainRsp         // Recheck: the same: the rsp of a slot whose mark was loaded
	waPark             // wait for a token, the end of the conn
	waEven             // store the even word
	waMarks            // idle: look at the marks, or the list, once more
	waBusy             // compare-and-swap idle to looking
	waIdle             // wait for a token, the end of the conn
	waBack             // store looking
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
		*w = watcher{}
		emit(what, pc)
	}
	// on goes on with the look at the marks.
	on := func(what string) {
		m.lookOn(&n)
		emit(what, w.pc)
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
		out = m.watcherLooks(s, out)
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
	case waSlot:
		if m.due(s, slot, w.all != 0) {
			what := m.deal(&n, slot)
			emit(what, w.pc)
		} else {
			w.waits = 1
			on("looks at a slot in the list: nothing to do")
		}
	case waRsp:
		if m.answers(s, slot, w.mark) || s.ended[client] != 0 {
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
		if m.Mutation == HandEarly {
			emit("hands over the answer", waClear)
			break
		}
		n.list &^= 1 << slot
		on("hands over the answer")
	case waClear:
		n.list &^= 1 << slot
		on("clears the bit in the list (too late)")
	case waWaiters:
		if s.waiters > 0 {
			emit("sees that somebody waits for a slot", waFreed)
		} else {
			on("sees that nobody waits for a slot")
		}
	case waFreed:
		n.freed = 1
		on("puts the freed token")

	case waAgain:
		if m.List {
			out = m.listAgain(s, out)
			break
		}
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
	case waAgainSlot:
		w.look &^= 1 << slot
		switch {
		case m.due(s, slot, false):
			to("looks again: an answer", waEven)
		case w.look == 0:
			to("looks again: no answer", waPark)
		default:
			w.slot = uint8(bits.TrailingZeros8(w.look))
			emit("looks again: no answer", waAgainSlot)
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
			emit("is woken by the end of the conn", waEven)
		}
	case waEven:
		n.asleep[client] = 0
		to("stores the even word", waLook)

	case waMarks:
		if m.List && s.list != 0 {
			to("looks at the list again: not idle", waBusy)
			break
		} else if m.List {
			to("looks at the list again: empty", waIdle)
			break
		}
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
			emit("is woken by the end of the conn", waBack)
		}
	case waBack:
		n.idle = 0
		to("stores looking", waLook)
	}
	return out
}

// watcherLooks appends the steps of a watcher that looks at the marks. At the end of
// the conn it deals with all of them, and ends when there was none left.
func (m *Calls) watcherLooks(s *State, out []Succ[State]) []Succ[State] {
	n := *s
	w := &n.watcher
	emit := func(what string, pc uint8) {
		w.pc = pc
		out = append(out, Succ[State]{Who: watcherName, What: what, State: n})
		n = *s
	}
	ended := s.ended[client] != 0
	if ended && (m.Mutation == EndAtOnce || !m.List && s.mark == [maxSlots]uint8{}) {
		emit("sees the end of the conn and no mark, ends", waDone)
		return out
	}
	if m.List {
		if s.list == 0 && !ended {
			return out
		}
		*w = watcher{slot: uint8(bits.TrailingZeros8(s.list)), look: s.list, all: s.ended[client]}
		if s.list == 0 {
			emit("sees the end of the conn and an empty list, ends", waDone)
		} else {
			emit("loads the list", waSlot)
		}
		return out
	}
	for i := range uint8(m.Slots) {
		switch mark := s.mark[i]; {
		case mark == markNone:
		case mark&markKind == markParked && !m.numbered():
			w.slot, w.mark = i, mark
			emit("loads a mark", waRsp)
		case m.due(s, i, ended):
			what := m.deal(&n, i)
			emit(what, w.pc)
		}
	}
	return out
}

// lookOn goes on to the next slot in the list, or ends the look.
func (m *Calls) lookOn(s *State) {
	w := &s.watcher
	switch w.look &^= 1 << w.slot; {
	case w.look != 0:
		w.slot, w.pc = uint8(bits.TrailingZeros8(w.look)), waSlot
	case w.all != 0 && w.waits == 0:
		*w = watcher{pc: waDone}
	default:
		*w = watcher{}
	}
}

// listAgain appends the second look of a watcher that has a list.
func (m *Calls) listAgain(s *State, out []Succ[State]) []Succ[State] {
	n := *s
	what := "looks at the list again: empty"
	n.watcher = watcher{pc: waPark}
	if s.list != 0 {
		what = "looks at the list again"
		n.watcher = watcher{pc: waAgainSlot, look: s.list, slot: uint8(bits.TrailingZeros8(s.list))}
	}
	return append(out, Succ[State]{Who: watcherName, What: what, State: n})
}
