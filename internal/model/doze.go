package model

import "math/bits"

// A doze is what a sleeping worker may do with a token instead of waking: it publishes
// a new sleep, looks once, runs what it finds, and parks. Its doorbell word is odd all the while.

// What is left of a doze while a handler runs, as values of worker.doze.
const (
	dozeNone uint8 = iota
	dozeBits       // the request was the hinted slot's: the pending bits are still to be looked at
	dozeRest       // the bits that are left are in worker.look
)

// dozeFirst returns with what a doze begins.
func (m *Calls) dozeFirst() uint8 {
	if m.Mutation == DozeOldSleep || m.Mutation == DozeLookFirst {
		return woDozeLook
	}
	return woDoze
}

// stepDoze appends the steps that only a dozing worker makes. It looks at the hinted slot and
// then at the pending bits; a look at the hint in vain is no step.
func (m *Calls) stepDoze(s *State, i int, out []Succ[State]) []Succ[State] {
	n := *s
	w := &n.workers[i]
	emit := func(what string, pc uint8) {
		w.pc = pc
		out = append(out, Succ[State]{Who: workerNames[i], What: what, State: n})
		n = *s
	}
	switch w.pc {
	case woDoze:
		if m.Mutation == DozeEven {
			n.asleep[server] = 0
			emit("dozes: stores the word after its own, which is even", woDozeLook)
			break
		}
		n.newSleep(server)
		if m.Mutation == DozeLookFirst {
			emit("dozes: stores the next odd word (too late)", m.goOn(w))
		} else {
			emit("dozes: stores the next odd word", woDozeLook)
		}
	case woDozeLook:
		if w.doze == dozeNone && s.req[s.hint] != s.seen[s.hint] {
			w.slot, w.hinted, w.doze = s.hint, 1, dozeBits
			if m.Overtake {
				emit("dozes: looks at the hinted slot: a request", woTake)
			} else {
				out = m.take(n, i, "dozes: takes the hinted slot", out)
				n, w = *s, &n.workers[i]
			}
		}
		took := w.doze != dozeNone
		w.look, w.doze = m.differs(s), dozeRest
		switch {
		case m.Mutation == DozeLookFirst:
			emit("dozes: looks at the pending bits (too early)", woDoze)
		case w.look != 0:
			emit("dozes: looks at the pending bits: one differs", m.goOn(w))
		case took:
			emit("dozes: looks at the pending bits: none differs", m.goOn(w))
		default:
			w.doze = dozeNone
			if s.leaving != 0 && m.drained(s, i) && m.Mutation != LeaveNoLook {
				emit("dozes: nothing, shutting down, and no handler runs", woEven)
			} else {
				emit("dozes: nothing, parks", woPark)
			}
		}
	case woDozed:
		// The token of a shutdown may be the one that this doze took, and its own
		// handlers put none: it has to look whether it was the last to run one.
		if s.leaving != 0 && m.drained(s, i) && m.Mutation != DozeForgetsLeave {
			emit("has dozed: shutting down, and no handler runs", woEven)
		} else {
			emit("has dozed, parks", woPark)
		}
	}
	return out
}

// goOn returns what worker w does after a handler, or after a bit that lags behind: it looks
// at everything, or dozes on.
func (m *Calls) goOn(w *worker) uint8 {
	w.slot = 0
	switch {
	case w.doze == dozeNone && w.look == 0:
		return woLook
	case w.doze == dozeBits:
		return woDozeLook
	case w.look != 0:
		w.slot = uint8(bits.TrailingZeros8(w.look))
		return woReq
	}
	w.doze = dozeNone
	return woDozed
}
