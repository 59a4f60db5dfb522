package model

// Where a writer is: the names say what it does next.
const (
	cwLoad    = iota // Update: load the switch word
	cwCopy           // Update: copy the first word
	cwRest           // Update: copy the other word
	cwAgain          // Update: load the switch word again, compute
	cwAcquire        // take the lock, look at the switch word
	cwStale          // Update: it is another version: release
	cwWrite          // copy the first word
	cwMore           // copy the other word
	cwSwitch         // switch
	cwRelease        // release
	cwDone
)

// Where a reader is.
const (
	crLoad  = iota // load the switch word
	crCopy         // copy the first word
	crRest         // copy the other word
	crAgain        // load the switch word again
	crDone
)

// begin lets writer i make its next store, if there is one.
func (s *CellState) begin(m *Cells, i int) {
	w := &s.writers[i]
	*w = cellWriter{pc: cwLoad, stores: w.stores}
	switch {
	case w.stores == 0:
		w.pc = cwDone
	case m.Updates>>i&1 == 0:
		w.pc = cwAcquire
		if m.Mutation == OldSwitch {
			w.pc = cwLoad
		}
	}
}

// whole reports whether a copy of version n is whole, if the switch word says version
// again afterwards.
func (m *Cells) whole(n, again uint8) bool {
	most := uint8(m.Cells - 2)
	if m.Mutation == LapOffByOne {
		most++
	}
	return again-n <= most || m.Mutation == LoadOnce
}

// writer appends the steps of writer i.
func (m *Cells) writer(s *CellState, i int, out []Succ[CellState]) []Succ[CellState] {
	n := *s
	w := &n.writers[i]
	emit := func(what string, pc uint8) {
		w.pc = pc
		out = append(out, Succ[CellState]{Who: writerNames[i], What: what, State: n})
		n = *s
	}
	update := m.Updates>>i&1 != 0
	switch w.pc {
	case cwLoad:
		w.load = cellCopy{n: s.version, c: s.current}
		if update {
			emit("loads the switch word, to update", cwCopy)
		} else {
			emit("loads the switch word", cwAcquire)
		}
	case cwCopy:
		for word := range uint8(cellWords) {
			w.load.add(s.cells[w.load.c], word)
			emit("copies a word of the value", cwRest)
		}
	case cwRest:
		w.load.add(s.cells[w.load.c], 1-w.load.word)
		w.load.word = 0
		emit("copies the other word", cwAgain)
	case cwAgain:
		load := w.load
		w.load = cellCopy{}
		if !m.whole(load.n, s.version) {
			emit("loads the switch word again: lapped", cwLoad)
			break
		}
		if load.words[0] != load.words[1] {
			n.bad = cellsMixed
		}
		w.value, w.expect = cellWord(changes(load.words[0])+1, i), load.n
		if m.Mutation == UpdateStale {
			w.expect = s.version
		}
		emit("loads the switch word again, computes", cwAcquire)
	case cwAcquire:
		if s.lock != 0 && (s.dead>>(s.lock-1)&1 == 0 || m.Mutation == NoTakeOver) {
			break
		}
		what := "takes the lock, looks at the switch word"
		if s.lock != 0 {
			what = "takes the lock over, looks at the switch word"
		}
		n.lock = uint8(i) + 1
		if m.Mutation != OldSwitch || update {
			w.load = cellCopy{n: s.version, c: s.current}
		}
		if update && w.expect != s.version && m.Mutation != UpdateBlind {
			emit(what+": another version", cwStale)
			break
		}
		if !update {
			w.value = cellWord(w.load.n+1, i)
		}
		if w.expect = 0; m.Mutation == HalfKept && s.lock != 0 {
			emit(what, cwMore)
		} else {
			emit(what, cwWrite)
		}
	case cwStale:
		n.lock = 0
		n.begin(m, i)
		emit("releases the lock, begins again", w.pc)
	case cwWrite:
		pc := uint8(cwMore)
		if m.Mutation == SwitchFirst {
			pc = cwSwitch
		}
		for word := range uint8(cellWords) {
			n.cells[m.spare(w.load.c)][word] = w.value
			w.load.word = word
			emit("writes a word of its value", pc)
		}
	case cwMore:
		n.cells[m.spare(w.load.c)][1-w.load.word] = w.value
		pc := uint8(cwSwitch)
		if m.Mutation == SwitchFirst || m.Mutation == ReleaseFirst {
			pc = cwRelease
		}
		w.load.word = 0
		emit("writes the other word", pc)
	case cwSwitch:
		n.version, n.current = w.load.n+1, m.spare(w.load.c)
		switch m.Mutation {
		case SwitchFirst:
			emit("switches", cwMore)
		case ReleaseFirst:
			w.stores--
			n.begin(m, i)
			emit("switches", w.pc)
		default:
			emit("switches", cwRelease)
		}
	case cwRelease:
		n.lock = 0
		if m.Mutation == ReleaseFirst {
			emit("releases the lock", cwSwitch)
			break
		}
		w.stores--
		n.begin(m, i)
		emit("releases the lock", w.pc)
	}
	return out
}

// spare returns the cell to write to if c is current.
func (m *Cells) spare(c uint8) uint8 {
	if m.Mutation == WriteCurrent {
		return c
	}
	return (c + 1) % uint8(m.Cells)
}

// reader appends the steps of reader i.
func (m *Cells) reader(s *CellState, i int, out []Succ[CellState]) []Succ[CellState] {
	n := *s
	r := &n.readers[i]
	emit := func(what string, pc uint8) {
		r.pc = pc
		out = append(out, Succ[CellState]{Who: cellReaderNames[i], What: what, State: n})
		n = *s
	}
	switch r.pc {
	case crLoad:
		r.load = cellCopy{n: s.version, c: s.current}
		emit("loads the switch word", crCopy)
	case crCopy:
		for word := range uint8(cellWords) {
			r.load.add(s.cells[r.load.c], word)
			emit("copies a word", crRest)
		}
	case crRest:
		r.load.add(s.cells[r.load.c], 1-r.load.word)
		r.load.word = 0
		emit("copies the other word", crAgain)
	case crAgain:
		load := r.load
		if m.Mutation == WordLast {
			load.n = s.version
		}
		r.load = cellCopy{}
		if !m.whole(load.n, s.version) {
			emit("loads the switch word again: lapped", crLoad)
			break
		}
		switch {
		case load.words[0] != load.words[1]:
			n.bad = cellsMixed
		case changes(load.words[0]) != load.n:
			n.bad = cellsOther
		case load.n < r.last:
			n.bad = cellsBack
		}
		r.last, r.loads = load.n, r.loads-1
		pc := uint8(crLoad)
		if r.loads == 0 {
			r.last, pc = 0, crDone
		}
		emit("loads the switch word again, returns", pc)
	}
	return out
}
