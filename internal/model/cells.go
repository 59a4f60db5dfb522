package model

// Cells is a machine of a section: small values, which writers copy into a spare cell
// word by word and readers copy out again, while they may be lapped. That the lock has
// one holder, and that who finds it held by a dead one takes it over, is for Holds;
// who sleeps, and growth, are for Sections.
//
// What is written is a ghost: a word says how often the value was changed, and by whom
// last. So a value is whole if its words are the same, and it is that of its version if it
// was changed as often as the section was stored. The words are copied in any order.
type Cells struct {
	Cells    int   // K: 2 to 4
	Writers  int   // at most 3
	Updates  uint8 // bits: those writers update, the others store
	Stores   int   // that each writer makes
	Readers  int   // at most 2
	Loads    int   // that each reader makes
	Stops    bool  // writers may stop anywhere, for ever
	Mutation CellMutation
}

// A CellMutation is a seeded mistake in the machine of cells.
type CellMutation uint8

// The mistakes, each of which the properties must catch.
const (
	_            CellMutation = iota
	LapOffByOne               // a copy counts as whole if n'-n <= K-1
	LoadOnce                  // a reader does not look again
	WordLast                  // a reader loads the switch word only after it has copied
	WriteCurrent              // a writer writes into the current cell
	SwitchFirst               // a writer switches before it has copied all
	ReleaseFirst              // a writer releases the lock before it switches
	HalfKept                  // who takes over goes on where the dead holder was
	UpdateBlind               // Update does not compare the version under the lock
	UpdateStale               // Update asks for the version of its second look
	OldSwitch                 // a writer goes on from the switch word that it has loaded before it had the lock
	NoTakeOver                // a dead holder's lock is waited for
	cellMutations
)

var cellMutationNames = [cellMutations]string{
	"none", "lapped once too often", "reader does not look again", "switch word loaded after the copy",
	"current cell written", "switch before the copy is whole", "release before the switch",
	"half a value of a dead writer kept", "update does not compare the version",
	"update of a stale value", "switch word loaded before the lock", "dead holder waited for",
}

// String returns a short name.
func (m CellMutation) String() string { return cellMutationNames[m] }

const (
	maxWriters = 3
	maxReaders = 2
	cellWords  = 2
)

var (
	writerNames     = [...]string{"writer A", "writer B", "writer C"}
	cellReaderNames = [...]string{"reader A", "reader B"}
)

// CellState is the whole state of the machine of cells.
type CellState struct {
	version, current uint8               // the switch word
	lock             uint8               // the writer who holds it, from 1, or 0
	cells            [4][cellWords]uint8 // see cellWord
	writers          [maxWriters]cellWriter
	readers          [maxReaders]cellReader
	dead             uint8 // bits: writers
	bad              uint8
}

// A cellCopy is what has been loaded: a switch word, and words of its cell.
type cellCopy struct {
	n, c, word uint8 // word: that was copied first
	words      [cellWords]uint8
}

type cellWriter struct {
	pc, stores uint8
	value      uint8    // what it stores
	expect     uint8    // Update: the version that it has computed it from
	load       cellCopy // Update: what it computes from; then the switch word
}

type cellReader struct {
	pc, loads, last uint8
	load            cellCopy
}

// cellWord returns the word of a value that was changed that often, and last by writer w.
func cellWord(changes uint8, w int) uint8 { return changes<<2 | uint8(w+1) }

// add copies a word of the cell into l.
func (l *cellCopy) add(cell [cellWords]uint8, word uint8) { l.word, l.words[word] = word, cell[word] }

// changes returns how often the value of a word was changed.
func changes(word uint8) uint8 { return word >> 2 }

const (
	cellsFine uint8 = iota
	cellsMixed
	cellsOther
	cellsBack
)

var cellBadNames = [...]string{
	cellsMixed: "a reader never returns a mixture",
	cellsOther: "a reader returns the value of the version that it says",
	cellsBack:  "the version never goes back for a reader",
}

// Init returns the state in which nothing was stored.
func (m *Cells) Init() (s CellState) {
	for i := range s.writers {
		s.writers[i].pc = cwDone
		if i < m.Writers {
			s.writers[i].stores = uint8(m.Stores)
			s.begin(m, i)
		}
	}
	for i := range s.readers {
		s.readers[i].pc = crDone
		if i < m.Readers {
			s.readers[i] = cellReader{loads: uint8(m.Loads)}
		}
	}
	return s
}

// Check returns the safety property that s violates, or "".
func (m *Cells) Check(s *CellState) string {
	if s.bad != cellsFine {
		return cellBadNames[s.bad]
	}
	switch words := s.cells[s.current]; {
	case words[0] != words[1]:
		return "the current value is whole, whoever dies"
	case changes(words[0]) != s.version:
		return "no update is lost, and none counts twice"
	}
	return ""
}

// Goal returns "" if all loads, and all stores of writers who live and get on, have ended.
func (m *Cells) Goal(s *CellState) string {
	for _, r := range s.readers {
		if r.pc != crDone {
			return "a reader that is not lapped for ever returns"
		}
	}
	for _, w := range s.writers {
		if w.pc != cwDone && !m.Stops {
			return "every store ends"
		}
	}
	return ""
}

// Next appends the steps of every actor that can move.
func (m *Cells) Next(s *CellState, out []Succ[CellState]) []Succ[CellState] {
	for i := range m.Writers {
		if s.writers[i].pc == cwDone {
			continue
		}
		from := len(out)
		out = m.writer(s, i, out)
		if m.Stops {
			for k := from; k < len(out); k++ {
				out[k].Chance = true
			}
		}
		n := *s
		n.dead |= 1 << i
		n.writers[i] = cellWriter{pc: cwDone}
		out = append(out, Succ[CellState]{Who: writerNames[i], What: "dies", State: n, Chance: true})
	}
	for i := range m.Readers {
		out = m.reader(s, i, out)
	}
	return out
}
