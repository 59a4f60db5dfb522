package model

// Where a process is: the names say what it does next.
const (
	hoClosed  = iota // take the name lock, to open
	hoEarly          // LookThenClaim: look at the lock word
	hoClaim          // claim a mark
	hoNamed          // look whether the lock word names it
	hoName           // to grow: take the name lock
	hoLoad           // load the lock word
	hoMoved          // it is held: look at the switch word
	hoAsk            // ask whether the holder lives
	hoSwap           // compare-and-swap
	hoLook           // holds it: look at the switch word
	hoMove           // set the moved bit
	hoCurrent        // store current
	hoRelease        // the current has been stored: release
	hoInside         // write, release
	hoFollow         // load current
	hoAgain          // load current under the name lock
	hoSettle         // store current
	hoIdle
)

// opens appends the steps of process i while it opens a handle.
func (m *Holds) opens(s *HoldState, i int, out []Succ[HoldState]) []Succ[HoldState] {
	n := *s
	p := &n.procs[i]
	emit := func(what string, chance bool) {
		out = append(out, Succ[HoldState]{Who: processNames[i], What: what, State: n, Chance: chance})
		n = *s
	}
	begin := uint8(hoClaim)
	if m.Mutation == LookThenClaim {
		begin = hoEarly
	}
	// next tries the number after the one that was not to be had.
	next := func(what string) {
		if p.number++; int(p.number) > m.Numbers {
			n.name = 0
			*p = holder{}
		} else {
			p.pc = begin
		}
		emit(what, false)
	}
	named := func() bool {
		l := s.lock[p.at]
		return l.held != 0 && l.number == p.number
	}
	switch p.pc {
	case hoClosed:
		if s.name == 0 && s.reopens > 0 {
			n.name = uint8(i) + 1
			n.reopens--
			*p = holder{pc: begin, number: 1, at: s.current, holds: uint8(m.Holds)}
			emit("takes the name lock, to open a handle", true)
		}
	case hoEarly:
		if named() {
			next("sees that the lock word names this number")
			break
		}
		p.pc = hoClaim
		emit("sees that the lock word does not name this number", false)
	case hoClaim:
		if s.marks[p.number-1] != 0 {
			next("finds a mark taken")
			break
		}
		n.marks[p.number-1] = uint8(i) + 1
		if p.pc = hoNamed; m.Mutation == LookThenClaim || m.Mutation == NamedGiven {
			n.name = 0
			p.pc = hoLoad
		}
		emit("claims a mark", false)
	case hoNamed:
		if named() {
			n.marks[p.number-1] = 0
			next("sees that the lock word names its number, gives the mark back")
			break
		}
		n.name = 0
		p.pc = hoLoad
		emit("sees that the lock word does not name its number, releases the name lock", false)
	}
	return out
}

// takes appends the steps of process i from the lock word to the release.
func (m *Holds) takes(s *HoldState, i int, out []Succ[HoldState]) []Succ[HoldState] {
	n := *s
	p := &n.procs[i]
	lock := &n.lock[p.at]
	emit := func(what string, pc uint8) {
		p.pc = pc
		out = append(out, Succ[HoldState]{Who: processNames[i], What: what, State: n})
		n = *s
	}
	moved := s.moved != 0 && p.at == 0
	switch p.pc {
	case hoLoad:
		p.word = *lock
		switch {
		case p.word.held == 0:
			emit("loads the lock word: free", hoSwap)
		case !m.Grows || m.Mutation == WaitOnMoved:
			emit("loads the lock word: held", hoAsk)
		default:
			emit("loads the lock word: held", hoMoved)
		}
	case hoMoved:
		if moved {
			p.word = lockState{}
			emit("sees, while it waits, that the region has moved", hoFollow)
		} else {
			emit("sees, while it waits, that the region has not moved", hoAsk)
		}
	case hoAsk:
		switch {
		case m.Mutation == TakeFromLiving,
			s.marks[p.word.number-1] == 0 && m.Mutation != NeverTakenOver:
			emit("asks for the mark of the holder: dead", hoSwap)
		default:
			p.word = lockState{}
			emit("asks for the mark of the holder: lives", hoLoad)
		}
	case hoSwap:
		same := *lock == p.word
		switch {
		case m.Mutation == NoTicket:
			same = lock.number == p.word.number && lock.held == p.word.held
		case m.Mutation == AskedBefore && p.word.held != 0:
			same = lock.held != 0
		}
		if !same {
			p.word = lockState{}
			emit("its compare-and-swap fails", hoLoad)
			break
		}
		taken := p.word.held != 0
		p.word = lockState{}
		lock.held, lock.number = 1, p.number
		if !taken || m.Mutation != TicketKept {
			lock.ticket++
		}
		to := uint8(hoLook)
		if !m.Grows {
			to = hoInside
		}
		if taken {
			emit("takes the lock over from a dead holder", to)
		} else {
			emit("takes the lock", to)
		}
	case hoLook:
		switch {
		case moved && m.Mutation != HoldsMoved:
			lock.held = 0
			emit("sees that the region has moved, releases the lock", hoFollow)
		case s.name == uint8(i)+1:
			emit("sees that the region has not moved, makes a successor", hoMove)
		default:
			emit("sees that the region has not moved", hoInside)
		}
	case hoInside:
		lock.held = 0
		if p.holds--; p.holds == 0 {
			*p = holder{number: p.number}
			emit("writes, releases the lock", hoIdle)
		} else {
			emit("writes, releases the lock", hoLoad)
		}
	}
	return out
}

// grows appends the steps of process i about a region that moves.
func (m *Holds) grows(s *HoldState, i int, out []Succ[HoldState]) []Succ[HoldState] {
	n := *s
	p := &n.procs[i]
	emit := func(what string, pc uint8) {
		p.pc = pc
		out = append(out, Succ[HoldState]{Who: processNames[i], What: what, State: n})
		n = *s
	}
	switch p.pc {
	case hoName:
		if s.name == 0 {
			n.name = uint8(i) + 1
			emit("takes the name lock, to grow the section", hoLoad)
		}
	case hoMove:
		n.moved = 1
		emit("stores the moved bit", hoCurrent)
	case hoCurrent:
		n.current = 1
		emit("stores current", hoRelease)
	case hoRelease:
		n.lock[0].held = 0
		n.name = 0
		p.at = 1
		emit("releases the lock and the name lock, follows", hoLoad)
	case hoFollow:
		if s.current == 1 {
			p.at = 1
			emit("follows", hoLoad)
		} else if s.name == 0 {
			n.name = uint8(i) + 1
			emit("sees that current is still the old region, takes the name lock", hoAgain)
		}
	case hoAgain:
		if s.current == 1 {
			n.name = 0
			p.at = 1
			emit("sees that current is the new region, releases the name lock, follows", hoLoad)
		} else {
			emit("sees that current is still the old region, makes a successor", hoSettle)
		}
	case hoSettle:
		n.current, n.name = 1, 0
		p.at = 1
		emit("stores current, releases the name lock, follows", hoLoad)
	}
	return out
}
