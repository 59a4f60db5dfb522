package model

// Where a writer or a grower is: the names say what it does next. A grower takes the
// lock, commits, wakes and releases as a writer does.
const (
	seAcquire  = iota // take the lock
	seRepair          // has taken it over: store sleepers
	seLook            // look at the switch word
	seUnlock          // it has moved: release
	seCommit          // store the commit bit
	seSleepers        // load sleepers
	seClear           // store 0
	seBell            // add 1 to the bell
	seWake            // wake who sleeps
	seSwitch          // store the switch word
	seRelease         // release
	seFollow          // load current

	seName    // take the name lock
	seAgain   // look at current once more
	seHalf    // begin to make a successor
	seWhole   // copy the value into it
	seMoved   // store the moved bit
	seCurrent // store current
	seUnname  // release the name lock
	seDone
	seDead
)

// holderDead reports whether who holds a lock has died. No number is given again here.
func (s *SectionState) holderDead(lock uint8) bool { return s.procs[lock-1].pc == seDead }

// stores appends the steps of process i that storing is about.
func (m *Sections) stores(s *SectionState, i int, out []Succ[SectionState]) []Succ[SectionState] {
	n := *s
	p := &n.procs[i]
	r := &n.regions[p.at]
	emit := func(what string, pc uint8) {
		p.pc = pc
		out = append(out, Succ[SectionState]{Who: m.name(i), What: what, State: n})
		n = *s
	}
	grower := i >= m.Writers
	switch p.pc {
	case seAcquire:
		if r.lock == 0 {
			r.lock = uint8(i) + 1
			emit("takes the lock", seLook)
			break
		}
		if r.moved != 0 {
			emit("sees, while it waits, that the region has moved", seFollow)
		}
		if s.holderDead(r.lock) {
			r.lock, r.commit = uint8(i)+1, 0
			pc := uint8(seRepair)
			switch {
			case m.Mutation == StoredLate:
				p.next, pc = 1, seLook
			case m.Watchers == 0, m.Mutation == ClearedForgotten:
				pc = seLook
			}
			emit("takes the lock over from a dead holder", pc)
		}
	case seRepair:
		n.sleepers = 1
		if m.Mutation == StoredLate {
			p.next = 0
			emit("stores sleepers, because a dead holder may have cleared it", seCommit)
		} else {
			emit("stores sleepers, because a dead holder may have cleared it", seLook)
		}
	case seLook:
		taken := p.next != 0
		if p.next = 0; r.moved != 0 && m.Mutation != MovedUnseen {
			emit("looks at the switch word: moved", seUnlock)
			break
		}
		switch {
		case grower && m.Mutation == GrowUnlocked:
			emit("looks at the switch word", seCommit)
		case grower:
			emit("looks at the switch word", seHalf)
		case m.Mutation == WakeBeforeCommit:
			emit("looks at the switch word", seSleepers)
		case m.Mutation == StoredLate && taken:
			p.next = 1
			emit("looks at the switch word", seRepair)
		default:
			emit("looks at the switch word", seCommit)
		}
		if m.Gives && !grower {
			p.next = 0
			emit("looks at the switch word: another version than it wants", seRelease)
		}
	case seUnlock:
		r.lock = 0
		emit("releases the lock", seFollow)
	case seCommit:
		r.commit = 1
		if m.Watchers == 0 || m.Mutation == WakeLate || m.Mutation == WakeBeforeCommit || grower && m.Mutation == RungForNew {
			emit("stores the commit bit", m.woken(i))
		} else {
			emit("stores the commit bit", seSleepers)
		}
	case seSleepers:
		if s.sleepers == 0 {
			emit("loads sleepers: 0", m.rung(i))
		} else {
			emit("loads sleepers: 1", seClear)
		}
	case seClear:
		n.sleepers = 0
		if m.Mutation == ClearNoBell {
			emit("stores sleepers = 0", seWake)
		} else {
			emit("stores sleepers = 0", seBell)
		}
	case seBell:
		for w := range n.watchers {
			if x := &n.watchers[w]; x.pc != swBell && x.pc < swAsleep {
				x.stale = 1
			}
		}
		emit("adds 1 to the bell", seWake)
	case seWake:
		m.wake(&n, p, m.rung(i))
		emit("wakes who sleeps on the bell", p.pc)
	case seSwitch:
		r.version++
		n.stored++
		r.value = n.stored
		if m.Mutation == WakeLate && m.Watchers > 0 {
			emit("switches", seSleepers)
		} else {
			emit("switches", seRelease)
		}
	case seRelease:
		r.lock, r.commit = 0, 0
		if grower {
			emit("releases the lock", seUnname)
		} else if p.stores--; p.stores == 0 {
			emit("releases the lock", seDone)
		} else {
			emit("releases the lock", seAcquire)
		}
	}
	return out
}

// woken returns what process i does when it has waked and committed.
func (m *Sections) woken(i int) uint8 {
	switch {
	case i < m.Writers:
		return seSwitch
	case m.Mutation == CurrentFirst:
		return seCurrent
	}
	return seMoved
}

// rung returns what process i does when it has waked.
func (m *Sections) rung(i int) uint8 {
	switch {
	case m.Mutation == WakeLate && i < m.Writers, m.Mutation == RungForNew && i >= m.Writers:
		return seRelease
	case m.Mutation == WakeBeforeCommit:
		return seCommit
	}
	return m.woken(i)
}

// wake wakes all who sleep, or the next one, and lets p go on.
func (m *Sections) wake(s *SectionState, p *sectionProc, pc uint8) {
	for w := range s.watchers {
		if x := &s.watchers[w]; x.pc == swAsleep && (!m.OneByOne || int(p.next) == w) {
			x.begin(m)
			if m.Mutation == WakeOne {
				break
			}
		}
	}
	if p.pc = pc; !m.OneByOne {
		return
	}
	if p.next++; int(p.next) < m.Watchers {
		p.pc = seWake
	} else {
		p.next = 0
	}
}
