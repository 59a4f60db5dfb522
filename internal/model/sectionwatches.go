package model

import "slices"

// Where a reader is: the names say what it does next.
const (
	srLoad    = iota // load the switch word, copy the value
	srCurrent        // it has moved: load current
	srDone
)

// Where a watcher is.
const (
	swBell    = iota // load the bell
	swMark           // store sleepers
	swLock           // load the lock word
	swSwitch         // load the switch word
	swAsk            // the lock word has the commit bit: ask whether its holder lives
	swOnce           // he is dead: load the switch word once more
	swCurrent        // it has moved: load current
	swSleep          // sleep, if the bell is as it was
	swAsleep
	swGone
)

// loads appends the steps of the reader.
func (m *Sections) loads(s *SectionState, out []Succ[SectionState]) []Succ[SectionState] {
	n := *s
	r := &n.reader
	emit := func(what string) {
		out = append(out, Succ[SectionState]{Who: "reader", What: what, State: n})
	}
	back := func() {
		switch {
		case r.n < r.least:
			n.bad = sectionStale
		case r.n != r.value:
			n.bad = sectionWrong
		}
		if *r = (sectionReader{at: r.at, loads: r.loads - 1}); r.loads == 0 {
			*r = sectionReader{pc: srDone}
		}
	}
	switch r.pc {
	case srLoad:
		from := s.regions[r.at]
		r.n, r.value = from.version, from.value
		if r.least == 0 {
			r.least = s.stored
		}
		if from.moved != 0 && m.Mutation != LoadStays {
			r.pc = srCurrent
			emit("loads: the region has moved")
			break
		}
		back()
		emit("loads, returns")
	case srCurrent:
		if s.current > r.at {
			n.attach(&r.at)
			r.pc, r.n, r.value = srLoad, 0, 0
			emit("loads current: a later region, attaches")
			break
		}
		back()
		emit("loads current: still this region, returns")
	}
	return out
}

// watches appends the steps of watcher i.
func (m *Sections) watches(s *SectionState, i int, out []Succ[SectionState]) []Succ[SectionState] {
	n := *s
	w := &n.watchers[i]
	r := s.regions[w.at]
	put := func(what string, pc uint8, chance bool) {
		w.pc = pc
		out = append(out, Succ[SectionState]{Who: watcherNames[i], What: what, State: n, Chance: chance})
		n = *s
	}
	emit := func(what string, pc uint8) { put(what, pc, false) }
	again := func(what string) {
		w.begin(m)
		emit(what, w.pc)
	}
	if m.Leaves && w.pc != swGone {
		*w = sectionWatcher{}
		put("dies", swGone, true)
	}
	switch w.pc {
	case swBell:
		w.stale = 0
		if m.Mutation == CurrentOld {
			w.old = s.current
		}
		emit("loads the bell", m.after(swBell))
	case swMark:
		n.sleepers = 1
		emit("stores sleepers = 1", m.after(swMark))
	case swLock:
		switch {
		case r.commit == 0 || m.Mutation == CommitIgnored:
			emit("loads the lock word", m.after(swLock))
		case m.Mutation == CommitForEver:
			emit("loads the lock word: commit; waits a moment", swLock)
		default:
			w.holder = r.lock
			if m.Mutation == CommitFirst {
				emit("loads the lock word: commit", swAsk)
				break
			}
			emit("loads the lock word: commit", m.after(swLock))
		}
	case swAsk:
		holder := s.procs[w.holder-1].pc
		if holder != seDead {
			w.holder = 0
			emit("asks for the mark of the holder: lives; waits a moment", swLock)
		}
		if holder != seDead && holder != seDone { // who has done with it may have closed the handle
			break
		}
		w.holder = 0
		if m.Mutation == AskedLate {
			emit("asks for the mark of the holder: dead", swSleep)
		} else {
			emit("asks for the mark of the holder: dead", swOnce)
		}
	case swSwitch, swOnce:
		switch {
		case r.version > w.known:
			w.known = r.version
			again("loads the switch word: a new version, takes it")
		case r.moved != 0 && m.Mutation != MovedUnwatched:
			emit("loads the switch word: moved", swCurrent)
		case w.holder != 0:
			emit("loads the switch word: nothing new", swAsk)
		default:
			emit("loads the switch word: nothing new", m.after(swSwitch))
		}
	case swCurrent:
		current := s.current
		if m.Mutation == CurrentOld {
			current = w.old
		}
		switch {
		case current <= w.at && m.Mutation == MovedIsWork:
			again("loads current: still this region, goes on to look")
		case current <= w.at:
			w.holder, w.old = 0, 0
			emit("loads current: still this region", m.after(swSwitch))
		case m.Mutation == FollowedAsleep:
			n.attach(&w.at)
			emit("loads current: a later region, attaches", swSwitch)
		default:
			n.attach(&w.at)
			again("loads current: a later region, attaches")
		}
	case swSleep:
		if s.watchers[i].stale != 0 {
			again("does not fall asleep: the bell has changed")
			break
		}
		*w = sectionWatcher{at: w.at, known: w.known}
		emit("falls asleep", swAsleep)
	case swAsleep:
		w.begin(m)
		put("wakes up without a reason", w.pc, true)
	}
	return out
}

// order is what a watcher does, one after the other.
func (m *Sections) order() [5]uint8 {
	switch m.Mutation {
	case SwitchFirstLoaded:
		return [...]uint8{swBell, swMark, swSwitch, swLock, swSleep}
	case SleepersLate:
		return [...]uint8{swBell, swLock, swSwitch, swMark, swSleep}
	case BellLate:
		return [...]uint8{swMark, swLock, swSwitch, swBell, swSleep}
	}
	return [...]uint8{swBell, swMark, swLock, swSwitch, swSleep}
}

// after returns what a watcher does after a step of its list.
func (m *Sections) after(pc uint8) uint8 {
	order := m.order()
	return order[slices.Index(order[:], pc)+1]
}

// begin lets a watcher begin its list.
func (w *sectionWatcher) begin(m *Sections) {
	*w = sectionWatcher{pc: m.order()[0], at: w.at, known: w.known}
}

var watcherNames = [...]string{"watcher A", "watcher B"}
