package model

// Holds is a machine of a section: who takes part under which number, and who holds
// the lock, over the death of holders and over a growth. What a holder does is one
// step; Cells, Pins and Sections say what that is.
//
// Three processes open handles. A handle's number is that of its mark, which goes at
// once when its process dies, and may be a newcomer's then.
type Holds struct {
	Numbers int  // marks, at most 4
	Reopens int  // handles that are opened beside the first three
	Holds   int  // how often each handle takes the lock
	Grows   bool // the first handle grows the section before it stores

	Mutation HoldMutation

	named bool // everybody keeps their names, although no mistake is seeded
}

// A HoldMutation is a seeded mistake in the machine of holds.
type HoldMutation uint8

// The mistakes, each of which the properties must catch.
const (
	_              HoldMutation = iota
	TakeFromLiving              // who has waited for a while takes the lock, whoever holds it
	NoTicket                    // a thief's compare-and-swap does not compare the ticket
	TicketKept                  // to take over does not move the ticket
	AskedBefore                 // the thief takes what the lock word is by then, not what he has asked about
	NamedGiven                  // a newcomer gets the number that the lock word names
	LookThenClaim               // a newcomer looks at the lock word before he claims the mark
	WaitOnMoved                 // who waits for the lock does not look whether the region has moved
	HoldsMoved                  // who has the lock does not look either
	NeverTakenOver              // nobody asks whether the holder lives
	holdMutations
)

var holdMutationNames = [holdMutations]string{
	"none", "lock taken from a living holder", "no ticket", "ticket kept when taken over", "asked about another hold",
	"number of the holder given away", "lock looked at before the mark is claimed", "waits for the lock of a moved region",
	"holds the lock of a moved region", "dead holder never asked about",
}

// String returns a short name.
func (m HoldMutation) String() string { return holdMutationNames[m] }

const (
	holdProcs   = 3
	holdNumbers = 4
)

var processNames = [...]string{"process A", "process B", "process C", "process D"}

// HoldState is the whole state of the machine of holds.
type HoldState struct {
	lock    [2]lockState // one in each region
	moved   uint8        // of the first region
	current uint8        // which region is
	name    uint8        // who has the name lock, or 0
	marks   [holdNumbers]uint8
	procs   [holdProcs]holder
	reopens uint8
}

// A lockState is a lock word. A number counts from 1 here, and so do processes.
type lockState struct{ ticket, number, held uint8 }

type holder struct {
	pc, number, at, holds uint8
	word                  lockState // as loaded
}

// Init returns the state in which three handles are open, and nobody holds the lock.
func (m *Holds) Init() HoldState {
	var s HoldState
	for i := range s.procs {
		s.marks[i] = uint8(i) + 1
		s.procs[i] = holder{pc: hoLoad, number: uint8(i) + 1, holds: uint8(m.Holds)}
	}
	if s.reopens = uint8(m.Reopens); m.Grows {
		s.procs[0].pc = hoName
	}
	return s
}

// has reports whether a process takes itself for the holder of its region's lock.
func (h *holder) has() bool { return h.pc >= hoLook && h.pc <= hoInside }

// Check returns the safety property that s violates, or "".
func (m *Holds) Check(s *HoldState) string {
	var holders [2]int
	for i := range s.procs {
		p := &s.procs[i]
		if !p.has() {
			continue
		}
		if holders[p.at]++; holders[p.at] > 1 {
			return "the lock of a region has one holder"
		}
		if p.pc == hoInside && p.at == 0 && s.moved != 0 {
			return "the moved bit is the last change of a region"
		}
	}
	return ""
}

// Goal returns "" if all who live have had the lock as often as they wanted.
func (m *Holds) Goal(s *HoldState) string {
	for _, p := range s.procs {
		if p.pc != hoIdle && p.pc != hoClosed {
			return "who waits for the lock gets it, or follows"
		}
	}
	return ""
}

// Next appends the steps of every actor that can move.
func (m *Holds) Next(s *HoldState, out []Succ[HoldState]) []Succ[HoldState] {
	from := len(out)
	for i := range s.procs {
		out = m.opens(s, i, out)
		out = m.takes(s, i, out)
		out = m.grows(s, i, out)
		if s.procs[i].pc == hoClosed {
			continue
		}
		n := *s
		if mark := &n.marks[s.procs[i].number-1]; *mark == uint8(i)+1 {
			*mark = 0 // it may have none yet
		}
		if n.name == uint8(i)+1 {
			n.name = 0
		}
		n.procs[i] = holder{}
		what := "dies"
		if s.procs[i].pc == hoIdle {
			what = "closes its handle, or dies"
		}
		out = append(out, Succ[HoldState]{Who: processNames[i], What: what, State: n, Chance: true})
	}
	for i := from; i < len(out); i++ {
		m.canonical(&out[i].State)
	}
	return out
}

// canonical makes states equal that differ only in what nobody can tell: how far the
// tickets have come, whose hold was the last of a free lock, and how the processes are
// called. Where a mistake is seeded they keep their names, for the trace.
func (m *Holds) canonical(s *HoldState) {
	for r := range s.lock {
		least := s.lock[r].ticket
		for i := range s.procs {
			if p := &s.procs[i]; p.hasWord() && int(p.at) == r {
				least = min(least, p.word.ticket)
			}
		}
		s.lock[r].ticket -= least
		if s.lock[r].held == 0 {
			s.lock[r].number = 0
		}
		for i := range s.procs {
			if p := &s.procs[i]; p.hasWord() && int(p.at) == r {
				p.word.ticket -= least
			}
		}
	}
	if m.Mutation != 0 || m.named {
		return
	}
	for i := 1; i < holdProcs; i++ {
		for j := i; j > 0 && s.procs[j].less(&s.procs[j-1]); j-- {
			s.procs[j], s.procs[j-1] = s.procs[j-1], s.procs[j]
			swapIn(&s.name, uint8(j))
			for k := range s.marks {
				swapIn(&s.marks[k], uint8(j))
			}
		}
	}
}

func (h *holder) hasWord() bool { return h.pc >= hoMoved && h.pc <= hoSwap }

func (h *holder) less(k *holder) bool {
	if h.pc != k.pc {
		return h.pc < k.pc
	}
	return h.number < k.number
}

// swapIn exchanges processes j and j+1, who count from 1, in a word that names one.
func swapIn(word *uint8, j uint8) {
	switch *word {
	case j:
		*word = j + 1
	case j + 1:
		*word = j
	}
}
