package model

// A mark says towards the watcher who cares for a slot's answer. Whoever takes a
// parked mark by compare-and-swap, the caller or the watcher, decides how the wait ends.

// mark returns a mark of the given kind for slot s's current call.
func (m *Calls) mark(s *State, slot, kind uint8) uint8 {
	if !m.numbered() {
		return kind
	}
	return kind | s.req[slot]<<2
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

// due reports whether the watcher has something to do for slot: it has a mark, and
// the answer is there or the conn has ended.
func (m *Calls) due(s *State, slot uint8, ended bool) bool {
	mark := s.mark[slot]
	return mark != markNone && (ended || m.answers(s, slot, mark))
}

// deal takes the mark of a slot that is due by compare-and-swap, and says so. The
// look before it is part of the step: if the mark had changed in between, it would
// have been in vain.
func (m *Calls) deal(s *State, slot uint8) string {
	w := &s.watcher
	w.slot = slot
	kind := s.mark[slot] & markKind
	s.mark[slot] = markNone
	if kind == markParked {
		w.pc = waHand
		return "sees the rsp of a parked caller, takes its mark"
	}
	w.pc = waWaiters
	s.list &^= 1 << slot
	if s.rsp[slot] == s.req[slot] {
		s.release(slot)
		return "sees the rsp of an abandoned slot, frees it"
	}
	s.drop(slot)
	return "sees the end of the conn, frees an abandoned slot"
}
