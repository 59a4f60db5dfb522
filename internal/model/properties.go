package model

// Check returns the safety property that s violates, or "".
func (m *Calls) Check(s *State) string {
	if s.bad != badNone {
		return badNames[s.bad]
	}
	for i := range uint8(m.Slots) {
		if p := m.checkSlot(s, i); p != "" {
			return p
		}
	}
	if s.unmapped != 0 && !m.untouched(s) {
		return "the memory is mapped for as long as anybody may touch it"
	}
	if s.alive(client) && s.ended[client] == 0 && m.unserved(s) {
		return "no caller waits for a slot while one is free"
	}
	return ""
}

// checkSlot checks that each part of slot i has one owner.
func (m *Calls) checkSlot(s *State, i uint8) string {
	bit := uint8(1) << i
	owners, writing, reading := 0, false, false
	for c := range m.Callers {
		if k := s.callers[c]; k.slot == i && k.owns() {
			owners++
			writing = writing || k.pc <= cPublish && k.aim != aimLate
			reading = reading || k.pc == cRelease
		}
	}
	abandoned := s.mark[i]&markKind == markAbandoned
	if abandoned || (s.free|s.dropped|s.drain.took)&bit != 0 {
		owners++
	}
	if owners > 1 {
		return "a slot has one owner in the client"
	}
	if s.alive(client) && owners == 0 {
		return "a slot is never lost"
	}

	if mark := s.mark[i]; mark != markNone && m.numbered() && (mark>>2+modulus-s.rsp[i])%modulus > 1 {
		return badNames[badLie] // by the watcher
	}

	running := 0
	for _, w := range s.workers {
		if w.slot == i && w.pc >= woRefuse && w.pc <= woStore {
			running++
		}
	}
	for _, h := range s.handlers {
		if h.slot == i && h.pc >= woRefuse && h.pc <= woStore {
			running++
		}
	}
	switch {
	case running > 1:
		return "a request is run at most once"
	case running == 0:
		return ""
	case writing:
		return "no caller writes a request that the server may still read"
	case reading || s.free&bit != 0:
		return "the server never writes a response that the client owns"
	case s.req[i] != (s.rsp[i]+1)%modulus:
		return "the server owns a slot only between req and rsp"
	}
	return ""
}

// untouched reports whether nobody in the client may touch the memory any more.
func (m *Calls) untouched(s *State) bool {
	for _, k := range s.callers {
		if k.touches() {
			return false
		}
	}
	return s.watcher.pc == waDone
}

// unserved reports whether a caller waits for a free slot, one is free, and
// nobody is on the way to bring the two together.
func (m *Calls) unserved(s *State) bool {
	if s.free == 0 || s.freed != 0 {
		return false
	}
	waits := false
	for _, k := range s.callers {
		switch k.pc {
		case cWait:
			waits = true
		case cTry, cLower, cMore, cPass, cWaiters, cFreed:
			return false
		}
	}
	w := s.watcher.pc
	return waits && w != waWaiters && w != waFreed
}

// Goal returns "" if all that has to end has ended in s: all callers have
// returned and, if both sides live, all slots are free again; if one has
// died, everything of the other has ended too.
func (m *Calls) Goal(s *State) string {
	if s.alive(client) {
		for _, k := range s.callers {
			if k.pc != cDone {
				return "every caller returns"
			}
		}
		if s.free|s.dropped|s.drain.took != m.all() {
			return "an abandoned slot is freed once the server has let go"
		}
	}
	left := !s.alive(client) || s.closed != 0 // for the server
	switch {
	case s.leaving != 0 && s.alive(server) && !left:
		return "a shutdown ends"
	case !s.alive(server) && s.alive(client) && s.ended[client] == 0:
		return "the client's reader ends when the server has died"
	case s.alive(client) && s.ended[client] != 0 && s.watcher.pc != waDone:
		return "the watcher ends when the conn has ended"
	case s.alive(client) && s.ended[client] != 0 && s.unmapped == 0:
		return "the memory is unmapped when the conn has ended"
	case left && s.alive(server):
		if s.ended[server] == 0 {
			return "the server's reader ends when the client has gone"
		}
		for _, w := range s.workers {
			if w.pc != woOff {
				return "the workers end when the client has gone"
			}
		}
		for _, h := range s.handlers {
			if h.pc != woOff {
				return "the handlers end when the client has gone"
			}
		}
	}
	return ""
}
