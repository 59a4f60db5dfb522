package model

// grows appends the steps of process i that growing and following are about.
func (m *Sections) grows(s *SectionState, i int, out []Succ[SectionState]) []Succ[SectionState] {
	n := *s
	p := &n.procs[i]
	me := uint8(i) + 1
	emit := func(what string, pc uint8) {
		p.pc = pc
		out = append(out, Succ[SectionState]{Who: m.name(i), What: what, State: n})
		n = *s
	}
	grower := i >= m.Writers
	field := uint8(0)
	if grower {
		field = 1 << (i - m.Writers)
	}
	next := &n.regions[min(p.at+1, generations-1)]
	switch p.pc {
	case seFollow:
		switch {
		case s.current > p.at:
			n.attach(&p.at)
			emit("loads current: a later region, attaches", seAcquire)
		case m.Mutation == NobodySettles:
		case m.Mutation == SettleUnnamed:
			emit("loads current: still this region", seHalf)
		default:
			emit("loads current: still this region", seName)
		}
	case seName:
		if s.name == 0 {
			n.name = me
			emit("takes the name lock", seAgain)
		}
	case seAgain:
		switch {
		case grower:
			if n.attach(&p.at); n.regions[p.at].fields&field != 0 {
				n.name = 0
				emit("sees that the current region has its field, releases the name lock", seDone)
			} else if s.regions[p.at].moved != 0 {
				emit("sees that the current region has moved", seHalf)
			} else if m.Mutation == GrowUnlocked {
				emit("attaches to the current region", seHalf)
			} else {
				emit("attaches to the current region", seAcquire)
			}
		case s.current > p.at && m.Mutation != SettleBlind:
			n.name = 0
			n.attach(&p.at)
			emit("loads current again: a later region, releases the name lock, attaches", seAcquire)
		default:
			emit("loads current again: still this region", seHalf)
		}
	case seHalf:
		if next.made != madeNot && m.Mutation == HalfReused || next.made == madeWhole && m.Mutation == WholeReused {
			emit("finds a successor", m.made(s, i))
			break
		}
		*next = sectionRegion{made: madeHalf}
		emit("begins to make a successor", seWhole)
	case seWhole:
		from := s.regions[p.at]
		*next = sectionRegion{made: madeWhole, version: from.version, value: from.value, fields: from.fields | field}
		if m.Mutation == VersionAgain {
			next.version, next.value = 0, 0
		}
		emit("copies value and version into the successor", m.made(s, i))
	case seMoved:
		n.regions[p.at].moved = 1
		if m.Mutation == CurrentFirst {
			emit("stores the moved bit", seRelease)
		} else {
			emit("stores the moved bit", seCurrent)
		}
	case seCurrent:
		n.current = p.at + 1
		switch {
		case s.regions[p.at].lock != me:
			emit("stores current", seUnname)
		case m.Mutation == CurrentFirst:
			emit("stores current", seMoved)
		case m.Mutation == RungForNew && m.Watchers > 0:
			emit("stores current", seSleepers)
		default:
			emit("stores current", seRelease)
		}
	case seUnname:
		if s.name == me {
			n.name = 0
		}
		if p.at++; grower {
			*p = sectionProc{}
			emit("releases the name lock", seDone)
		} else {
			emit("releases the name lock, attaches", seAcquire)
		}
	}
	return out
}

// made returns what process i does when the successor is made.
func (m *Sections) made(s *SectionState, i int) uint8 {
	switch r := s.regions[s.procs[i].at]; {
	case r.moved != 0:
		return seCurrent
	case r.lock != uint8(i)+1:
		return seAcquire // GrowUnlocked
	case m.Quiet:
		return seMoved
	}
	return seCommit
}

// attach lets somebody go on to the current region.
func (s *SectionState) attach(at *uint8) {
	if *at = s.current; s.regions[*at].made != madeWhole {
		s.bad = sectionHalf
	}
}
