package model

// Where a writer is: the names say what it does next.
const (
	pwAcquire = iota // take the lock, look at the switch word
	pwPins           // load the pins of an entry
	pwAsk            // ask whether who has pinned lives
	pwClear          // clear the pins of a dead one
	pwChoose         // PinsEarly: take the lock
	pwNone           // no cell is spare: release
	pwWrite          // copy a word of the value
	pwMore           // copy the other word
	pwSwitch         // switch
	pwRelease        // release
	pwDone
)

// Where a reader is.
const (
	prLoad  = iota // load the switch word
	prPin          // store the pin
	prAgain        // load the switch word again
	prCopy         // copy a word
	prRest         // copy the other word
	prUnpin        // take the pin back
	prLost         // the same, and try again
	prLate         // PinLate: store the pin
	prOpen         // a newcomer: store the entry's next incarnation
	prDone
)

// writer appends the steps of writer i.
func (m *Pins) writer(s *PinState, i int, out []Succ[PinState]) []Succ[PinState] {
	n := *s
	w := &n.writers[i]
	emit := func(what string, pc uint8) {
		w.pc = pc
		out = append(out, Succ[PinState]{Who: writerNames[i], What: what, State: n})
		n = *s
	}
	switch w.pc {
	case pwAcquire:
		switch {
		case m.Mutation == PinsEarly:
			m.look(&n, w)
			emit("begins to look at the pins", w.pc)
		case s.lock == 0:
			n.lock = uint8(i) + 1
			m.look(&n, w)
			emit("takes the lock, looks at the switch word", w.pc)
		case s.dead>>(s.lock-1)&1 != 0:
			n.lock = uint8(i) + 1
			m.look(&n, w)
			emit("takes the lock over, looks at the switch word", w.pc)
		}
	case pwPins:
		w.word = s.entries[w.entry]
		if w.word.cells&m.interesting(s) == 0 {
			m.lookOn(&n, w)
			emit("loads the pins of an entry: none that matter", w.pc)
		} else {
			emit("loads the pins of an entry", pwAsk)
		}
	case pwAsk:
		if s.lives>>w.entry&1 != 0 || m.Mutation == DeadPinsCount {
			w.used |= w.word.cells
			m.lookOn(&n, w)
			emit("asks for the mark of who has pinned: lives", w.pc)
		} else {
			emit("asks for the mark of who has pinned: dead", pwClear)
		}
	case pwClear:
		what := "finds the pins changed"
		if e := &n.entries[w.entry]; *e == w.word || m.Mutation == PinsByMask {
			e.cells = 0
			what = "clears the pins of a dead one"
		}
		m.lookOn(&n, w)
		emit(what, w.pc)
	case pwChoose:
		if s.lock == 0 || s.dead>>(s.lock-1)&1 != 0 {
			n.lock = uint8(i) + 1
			m.choose(&n, w)
			emit("takes the lock, looks at the switch word, chooses a cell", w.pc)
		}
	case pwNone:
		n.lock = 0
		*w = pinWriter{stores: w.stores}
		emit("releases the lock: no cell is spare", w.pc)
	case pwWrite:
		for word := range uint8(cellWords) {
			n.cells[w.spare][word] = cellWord(s.version+1, i)
			w.written = word
			emit("writes a word of its value", pwMore)
		}
	case pwMore:
		n.cells[w.spare][1-w.written] = cellWord(s.version+1, i)
		w.written = 0
		emit("writes the other word", pwSwitch)
	case pwSwitch:
		n.version, n.current = s.version+1, w.spare
		w.spare = 0
		emit("switches", pwRelease)
	case pwRelease:
		n.lock = 0
		if w.stores--; w.stores == 0 {
			emit("releases the lock", pwDone)
		} else {
			emit("releases the lock", pwAcquire)
		}
	}
	return out
}

// interesting returns the cells whose pins a writer looks for.
func (m *Pins) interesting(s *PinState) uint8 {
	if m.Mutation == PinsEarly {
		return 1<<pinCells - 1
	}
	return (1<<pinCells - 1) &^ (1 << s.current)
}

// look lets w look at the pins of the first entry, if there is one.
func (m *Pins) look(s *PinState, w *pinWriter) {
	w.entry, w.used = 0, 0
	switch {
	case m.Handles == 0 || m.Mutation == PinsIgnored:
		m.choose(s, w)
	default:
		w.pc = pwPins
	}
}

// lookOn goes on to the next entry, or to the choice of a cell.
func (m *Pins) lookOn(s *PinState, w *pinWriter) {
	w.word = pinWord{}
	if w.entry++; int(w.entry) < m.Handles {
		w.pc = pwPins
	} else if w.entry = 0; m.Mutation == PinsEarly {
		w.pc = pwChoose
	} else {
		m.choose(s, w)
	}
}

// choose takes a cell that is neither current nor used.
func (m *Pins) choose(s *PinState, w *pinWriter) {
	used := w.used | 1<<s.current
	w.used, w.pc = 0, pwNone
	for c := range uint8(pinCells) {
		if used>>c&1 == 0 {
			w.spare, w.pc = c, pwWrite
			return
		}
	}
}

// pin makes the word of reader i's entry say what its goroutines have pinned.
func (s *PinState) pin(m *Pins, i int, cells uint8) {
	h := i / 2
	s.readers[i].pinned = cells
	s.entries[h].cells = s.readers[2*h].pinned | s.readers[2*h+1].pinned
	if m.Mutation == UnpinAll && cells == 0 {
		s.entries[h].cells = 0
	}
}

// reader appends the steps of reader i.
func (m *Pins) reader(s *PinState, i int, out []Succ[PinState]) []Succ[PinState] {
	n := *s
	r := &n.readers[i]
	emit := func(what string, pc uint8) {
		r.pc = pc
		out = append(out, Succ[PinState]{Who: pinReaderNames[i], What: what, State: n})
		n = *s
	}
	switch r.pc {
	case prOpen:
		e := &n.entries[i/2]
		if e.cells = 0; !m.Bare {
			e.incarnation++
		}
		n.open(m, i/2)
		emit("stores the incarnation", prLoad)
	case prLoad:
		r.load = cellCopy{n: s.version, c: s.current}
		if m.Mutation == PinLate {
			emit("loads the switch word", prAgain)
		} else {
			emit("loads the switch word", prPin)
		}
	case prPin:
		n.pin(m, i, 1<<r.load.c)
		if m.Mutation == PinNoLook {
			emit("stores its pin", prCopy)
		} else {
			emit("stores its pin", prAgain)
		}
	case prAgain:
		switch {
		case m.Mutation == PinLate && r.load.n == s.version:
			emit("loads the switch word again: the same", prLate)
		case m.Mutation == PinLate:
			emit("loads the switch word again: another", prLoad)
		case r.load.n == s.version:
			emit("loads the switch word again: the same", prCopy)
		default:
			r.load = cellCopy{}
			emit("loads the switch word again: another", prLost)
		}
	case prLate:
		n.pin(m, i, 1<<r.load.c)
		emit("stores its pin", prCopy)
	case prCopy:
		if m.Mutation == UnpinEarly {
			n.pin(m, i, 0)
		}
		for word := range uint8(cellWords) {
			r.load.add(s.cells[r.load.c], word)
			n.readers[i].pc = prRest
			out = append(out, Succ[PinState]{Who: pinReaderNames[i], What: "copies a word", State: n})
		}
	case prRest:
		r.load.add(s.cells[r.load.c], 1-r.load.word)
		switch load := r.load; {
		case load.words[0] != load.words[1]:
			n.bad = cellsMixed
		case changes(load.words[0]) != load.n:
			n.bad = cellsOther
		case load.n < r.last:
			n.bad = cellsBack
		}
		r.last, r.load = r.load.n, cellCopy{}
		emit("copies the other word", prUnpin)
	case prUnpin:
		n.pin(m, i, 0)
		if r.loads--; r.loads == 0 {
			r.last = 0
			emit("takes its pin back, returns", prDone)
		} else {
			emit("takes its pin back, returns", prLoad)
		}
	case prLost:
		n.pin(m, i, 0)
		emit("takes its pin back", prLoad)
	}
	return out
}
