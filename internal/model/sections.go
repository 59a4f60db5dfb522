package model

// Sections is a machine of a section: waking and growing. Writers store, growers make
// successors, readers and watchers follow, and writers and growers die at any step.
// What the others show is taken for granted here: a value is copied in one step with
// the switch (Cells, Pins), and whoever wants the lock of a dead holder takes it over in
// one step (Holds).
type Sections struct {
	Writers  int
	Stores   int  // that each writer makes
	Gives    bool // a writer may release the lock without a store: an Update that finds another version
	Growers  int  // each of which has a field of its own; Writers+Growers is at most 4
	Readers  int  // at most 1
	Loads    int  // that each reader makes
	Watchers int  // at most 2
	Deaths   int  // how many writers and growers may die
	Leaves   bool // watchers may die too
	Quiet    bool // a growth stores no commit bit and wakes nobody: nothing relies on it
	OneByOne bool // a wake reaches one sleeper after the other
	Stops    bool // writers and growers may stop anywhere, for ever
	Mutation SectionMutation

	named bool // everybody keeps their names, although no mistake is seeded
}

// A SectionMutation is a seeded mistake in the machine of sections.
type SectionMutation uint8

// The mistakes, each of which the properties must catch.
const (
	_                 SectionMutation = iota
	WakeLate                          // the wake comes after the switch
	WakeBeforeCommit                  // sleepers is loaded before the commit bit is stored
	ClearNoBell                       // the writer clears sleepers without changing the bell
	WakeOne                           // the wake reaches one sleeper
	ClearedForgotten                  // who takes over from a dead holder does not store sleepers
	StoredLate                        // who takes over stores sleepers only if he commits
	SwitchFirstLoaded                 // the watcher loads the switch word before the lock word
	SleepersLate                      // the watcher stores sleepers after its look
	BellLate                          // the watcher loads the bell after its look
	CommitIgnored                     // the watcher does not look at the commit bit
	CommitForEver                     // the watcher waits for a dead holder's commit bit
	AskedLate                         // the watcher does not look again when it knows that the holder is dead
	CommitFirst                       // the watcher does not look at the switch word while there is a commit bit
	MovedUnwatched                    // the watcher does not look at the moved bit
	FollowedAsleep                    // the watcher follows and sleeps without another look
	MovedIsWork                       // the watcher does not sleep while a region has moved and is current
	CurrentOld                        // the watcher sleeps by a current that it loaded before it stored sleepers
	RungForNew                        // the grower wakes after it has stored current
	MovedUnseen                       // a writer does not look at the moved bit under the lock
	LoadStays                         // a reader does not look at the moved bit
	CurrentFirst                      // current is stored before the moved bit
	GrowUnlocked                      // the grower copies the value before it has the lock
	HalfReused                        // a successor that is there is used as it is
	WholeReused                       // the same, if it is whole
	VersionAgain                      // the successor's versions begin again
	SettleBlind                       // who finishes a growth does not look at current under the name lock
	SettleUnnamed                     // who finishes a growth does not take the name lock
	NobodySettles                     // a writer waits for the grower, whether it lives or not
	sectionMutations
)

var sectionMutationNames = [sectionMutations]string{
	"none", "wake after the switch", "wake before the commit bit", "sleepers cleared without the bell", "one sleeper woken",
	"cleared sleepers forgotten", "sleepers stored too late", "switch word loaded before the lock word",
	"sleepers stored after the look", "bell loaded after the look", "commit bit ignored", "commit bit of the dead waited for",
	"no look after the holder's death", "no look while there is a commit bit", "moved bit not watched",
	"sleeps after following", "moved and current: no sleep", "current from before", "wake after current",
	"moved bit not seen under the lock", "moved bit not loaded", "current before moved",
	"growth without the lock", "half a successor used", "old successor used", "versions begin again", "current not looked at again",
	"growth finished without the name lock", "dead grower waited for",
}

// String returns a short name.
func (m SectionMutation) String() string { return sectionMutationNames[m] }

const (
	generations     = 3
	maxSectionProcs = 4
)

var sectionProcNames = [2][maxSectionProcs]string{
	{"writer A", "writer B", "writer C", "writer D"},
	{"grower A", "grower B", "grower C", "grower D"},
}

// SectionState is the whole state of the machine of sections.
type SectionState struct {
	regions  [generations]sectionRegion
	current  uint8
	name     uint8 // who has the name lock, from 1, or 0
	sleepers uint8
	procs    [maxSectionProcs]sectionProc // writers, then growers
	reader   sectionReader
	watchers [2]sectionWatcher
	stored   uint8 // a ghost: how often a switch word has gone to a new version
	deaths   uint8 // that may still come
	bad      uint8
}

type sectionRegion struct {
	made                  uint8
	version, value, moved uint8 // the switch word, and what its cell holds: the value of which version
	lock, commit          uint8 // lock: who holds it, from 1, or 0
	fields                uint8 // bits
}

// How far a region is made.
const (
	madeNot = iota
	madeHalf
	madeWhole
)

// at is a generation.
type sectionProc struct{ pc, at, stores, next uint8 }

// least is a ghost: the version that the section had when the load began.
type sectionReader struct{ pc, at, loads, n, value, least uint8 }

type sectionWatcher struct {
	pc, at, known uint8
	holder        uint8 // the lock word as loaded, if it has the commit bit
	stale         uint8 // the bell has changed since it was loaded
	old           uint8 // CurrentOld: current as loaded
}

const (
	sectionFine uint8 = iota
	sectionStale
	sectionWrong
	sectionHalf
)

var sectionBadNames = [...]string{
	sectionStale: "a load returns no version older than the section's when it began",
	sectionWrong: "a load returns the value of the version that it says",
	sectionHalf:  "nobody attaches to a region that is not whole",
}

// Init returns the state in which nothing was stored and everybody has attached to the
// first region.
func (m *Sections) Init() (s SectionState) {
	s.regions[0].made = madeWhole
	s.deaths = uint8(m.Deaths)
	for i := range s.procs {
		switch {
		case i < m.Writers:
			s.procs[i] = sectionProc{pc: seAcquire, stores: uint8(m.Stores)}
		case i < m.Writers+m.Growers:
			s.procs[i].pc = seName
		default:
			s.procs[i].pc = seDone
		}
	}
	if s.reader.loads = uint8(m.Loads); m.Readers == 0 {
		s.reader = sectionReader{pc: srDone}
	}
	for i := range s.watchers {
		if s.watchers[i].begin(m); i >= m.Watchers {
			s.watchers[i].pc = swGone
		}
	}
	return s
}

// Check returns the safety property that s violates, or "".
func (m *Sections) Check(s *SectionState) string {
	if s.bad != sectionFine {
		return sectionBadNames[s.bad]
	}
	switch r := s.regions[s.current]; {
	case r.made != madeWhole:
		return "the current region is whole"
	case r.version != s.stored:
		return "a version is never taken back, and no store is lost"
	case r.value != r.version:
		return "the value is that of its version"
	}
	return ""
}

// Goal returns "" if all who live and get on have done what they wanted, and each
// watcher has seen the last version.
func (m *Sections) Goal(s *SectionState) string {
	if s.reader.pc != srDone {
		return "every load ends"
	}
	for _, w := range s.watchers {
		switch {
		case w.pc == swGone:
		case w.known != s.stored:
			return "each watcher sees the last version"
		case w.pc != swAsleep && !m.Stops:
			return "a watcher sleeps while nothing happens"
		}
	}
	for _, p := range s.procs {
		if p.pc != seDone && p.pc != seDead && !m.Stops {
			return "every store and every growth ends"
		}
	}
	return ""
}

// Next appends the steps of every actor that can move.
func (m *Sections) Next(s *SectionState, out []Succ[SectionState]) []Succ[SectionState] {
	from := len(out)
	for i := range m.Writers + m.Growers {
		if pc := s.procs[i].pc; pc == seDone || pc == seDead {
			continue
		}
		first := len(out)
		if out = m.stores(s, i, out); len(out) == first {
			out = m.grows(s, i, out)
		}
		if m.Stops {
			for k := first; k < len(out); k++ {
				out[k].Chance = true
			}
		}
		if s.deaths > 0 {
			n := *s
			n.deaths--
			n.procs[i] = sectionProc{pc: seDead}
			if n.name == uint8(i)+1 {
				n.name = 0
			}
			out = append(out, Succ[SectionState]{Who: m.name(i), What: "dies", State: n, Chance: true})
		}
	}
	out = m.loads(s, out)
	for i := range m.Watchers {
		out = m.watches(s, i, out)
	}
	if m.Mutation == 0 && !m.named {
		for i := from; i < len(out); i++ {
			m.canonical(&out[i].State)
		}
	}
	return out
}

// canonical sorts the writers and the watchers, each of whom are alike. Where a mistake is
// seeded they keep their names, for the trace. With OneByOne the watchers are not alike: a wake
// that is under way has reached the first and not the second.
func (m *Sections) canonical(s *SectionState) {
	for i := 1; i < m.Writers; i++ {
		for j := i; j > 0 && m.key(s, j) < m.key(s, j-1); j-- {
			s.procs[j], s.procs[j-1] = s.procs[j-1], s.procs[j]
			swapIn(&s.name, uint8(j))
			for r := range s.regions {
				swapIn(&s.regions[r].lock, uint8(j))
			}
			for w := range s.watchers {
				swapIn(&s.watchers[w].holder, uint8(j))
			}
		}
	}
	if w := &s.watchers; !m.OneByOne && w[1].key() < w[0].key() {
		w[0], w[1] = w[1], w[0]
	}
}

// key orders writers: by where they are, and by who names them.
func (m *Sections) key(s *SectionState, i int) uint64 {
	p := s.procs[i]
	k := uint64(p.pc)<<24 | uint64(p.at)<<16 | uint64(p.stores)<<8 | uint64(p.next)
	for _, r := range s.regions {
		if k <<= 1; int(r.lock) == i+1 {
			k++
		}
	}
	k <<= 24
	for which, w := range s.watchers {
		if int(w.holder) != i+1 {
			continue
		}
		k += uint64(w.pc)<<12 | uint64(w.at)<<9 | uint64(w.known)<<4 | uint64(w.stale) + 1
		if m.OneByOne {
			k += uint64(which) << 20
		}
	}
	return k
}

func (w sectionWatcher) key() uint64 {
	return uint64(w.pc)<<32 | uint64(w.at)<<24 | uint64(w.known)<<16 | uint64(w.holder)<<8 | uint64(w.stale)
}

// name returns what a trace calls process i.
func (m *Sections) name(i int) string {
	if i < m.Writers {
		return sectionProcNames[0][i]
	}
	return sectionProcNames[1][i-m.Writers]
}
