package model

// Pins is a machine of a section: large values, whose readers pin a cell, so that
// writers choose another. Readers are goroutines of handles; a handle's pins stand in one
// word of its entry. A handle that dies leaves them, and a newcomer may get its entry.
//
// The values are those of Cells, and the lock is as there.
type Pins struct {
	Writers    int  // at most 2
	Stores     int  // that each writer makes
	Handles    int  // that read, at most 2
	Goroutines int  // of each handle, at most 2
	Loads      int  // that each goroutine makes
	Reopens    int  // handles that are opened in place of dead ones
	Stops      int  // so many handles may stop anywhere, for ever
	Bare       bool // the words have no incarnation: to compare the pins is enough
	Mutation   PinMutation
}

// A PinMutation is a seeded mistake in the machine of pins.
type PinMutation uint8

// The mistakes, each of which the properties must catch.
const (
	_             PinMutation = iota
	PinLate                   // the pin is stored after the second look
	PinNoLook                 // there is no second look
	UnpinEarly                // the pin is taken back before the copy is finished
	UnpinAll                  // who takes its pin back takes back those of its handle
	PinsEarly                 // a writer looks at the pins before it has the lock
	PinsIgnored               // a writer does not look at the pins
	DeadPinsCount             // a writer does not ask whether who has pinned lives
	PinsByMask                // dead pins are cleared whatever the word says by then
	pinMutations
)

var pinMutationNames = [pinMutations]string{
	"none", "pin stored after the second look", "no second look", "pin taken back before the copy", "pins of the whole handle taken back",
	"pins looked at before the lock is held", "pins ignored", "dead pins count", "dead pins cleared without a comparison",
}

// String returns a short name.
func (m PinMutation) String() string { return pinMutationNames[m] }

const (
	pinCells   = 3
	maxHandles = 2
)

// PinState is the whole state of the machine of pins.
type PinState struct {
	version, current uint8 // the switch word
	lock             uint8 // the writer who holds it, from 1, or 0
	cells            [pinCells][cellWords]uint8
	entries          [maxHandles]pinWord
	lives            uint8 // bits: the marks of the handles
	writers          [2]pinWriter
	readers          [2 * maxHandles]pinReader // those of a handle side by side
	dead             uint8                     // bits: writers
	reopens          uint8
	bad              uint8
}

type pinWord struct{ incarnation, cells uint8 }

type pinWriter struct {
	pc, stores uint8
	entry      uint8   // that it looks at
	used       uint8   // bits: the cells that it has found pinned
	word       pinWord // as loaded
	spare      uint8
	written    uint8 // the word that was written first
}

type pinReader struct {
	pc, loads, last uint8
	pinned          uint8 // bits: what this goroutine has pinned
	load            cellCopy
}

var handleNames = [...]string{"handle A", "handle B"}

var pinReaderNames = [...]string{"a reader of handle A", "a reader of handle A", "a reader of handle B", "a reader of handle B"}

// Init returns the state in which nothing was stored, and all handles are open.
func (m *Pins) Init() (s PinState) {
	for i := range s.writers {
		s.writers[i].pc = pwDone
		if i < m.Writers {
			s.writers[i] = pinWriter{stores: uint8(m.Stores)}
		}
	}
	for i := range s.readers {
		s.readers[i].pc = prDone
	}
	for h := range m.Handles {
		s.open(m, h)
	}
	s.reopens = uint8(m.Reopens)
	return s
}

// open begins the life of a handle.
func (s *PinState) open(m *Pins, h int) {
	s.lives |= 1 << h
	for g := range m.Goroutines {
		s.readers[2*h+g] = pinReader{loads: uint8(m.Loads)}
	}
}

// Check returns the safety property that s violates, or "".
func (m *Pins) Check(s *PinState) string {
	if s.bad != cellsFine {
		return cellBadNames[s.bad]
	}
	switch words := s.cells[s.current]; {
	case words[0] != words[1]:
		return "the current value is whole, whoever dies"
	case changes(words[0]) != s.version:
		return "no store is lost"
	}
	return ""
}

// Goal returns "" if all loads and all stores of those who live and get on have ended.
func (m *Pins) Goal(s *PinState) string {
	for _, w := range s.writers {
		if w.pc != pwDone {
			return "a writer finds a cell, whoever has died"
		}
	}
	for i, r := range s.readers {
		if r.pc != prDone && i/2 >= m.Stops {
			return "every load ends"
		}
	}
	return ""
}

// Next appends the steps of every actor that can move.
func (m *Pins) Next(s *PinState, out []Succ[PinState]) []Succ[PinState] {
	n := *s
	chance := func(who, what string) {
		out = append(out, Succ[PinState]{Who: who, What: what, State: n, Chance: true})
		n = *s
	}
	for i := range m.Writers {
		if s.writers[i].pc == pwDone {
			continue
		}
		out = m.writer(s, i, out)
		n.dead |= 1 << i
		n.writers[i] = pinWriter{pc: pwDone}
		chance(writerNames[i], "dies")
	}
	for h := range m.Handles {
		from := len(out)
		for i := 2 * h; i < 2*h+m.Goroutines; i++ {
			out = m.reader(s, i, out)
		}
		for i := from; i < len(out); i++ {
			out[i].Chance = h < m.Stops
		}
		switch {
		case s.lives>>h&1 != 0 && s.readers[2*h].pc != prOpen:
			n.lives &^= 1 << h
			n.readers[2*h], n.readers[2*h+1] = pinReader{pc: prDone}, pinReader{pc: prDone}
			chance(handleNames[h], "dies, or is closed")
		case s.lives>>h&1 == 0 && s.reopens > 0:
			n.lives |= 1 << h
			n.reopens--
			n.readers[2*h].pc = prOpen
			chance(handleNames[h], "is opened: claims the mark")
		}
	}
	return out
}
