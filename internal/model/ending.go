package model

// Where the drain is: the names say what it does next.
const (
	drOff   = iota // wait for the end of the conn, the reader and the watcher; raise the counter of waiters
	drTake         // take all free bits; when it has all, unmap
	drWait         // wait for a token
	drEnded        // the memory is unmapped
)

const drainName = "drain"

// stepClose appends the step in which the client closes the conn.
func (m *Calls) stepClose(s *State, out []Succ[State]) []Succ[State] {
	if !m.Close || s.ended[client] != 0 {
		return out
	}
	n := *s
	n.closed, n.ended[client], n.rings[client] = 1, 1, 0
	return append(out, Succ[State]{Who: "client", What: "closes the conn", State: n, Chance: true})
}

// stepDrain appends the steps that unmap the memory: they claim every slot, so that
// no caller is left in it and none can come.
func (m *Calls) stepDrain(s *State, out []Succ[State]) []Succ[State] {
	n := *s
	d := &n.drain
	emit := func(what string, pc uint8) {
		d.pc = pc
		out = append(out, Succ[State]{Who: drainName, What: what, State: n})
		n = *s
	}
	switch d.pc {
	case drOff:
		if s.ended[client] != 0 && (s.watcher.pc == waDone || m.Mutation == UnmapAfterCallers) {
			n.waiters++
			emit("raises waiters", drTake)
		}
	case drTake:
		took := s.free | s.dropped
		n.free, n.dropped = 0, 0
		d.took |= took
		switch {
		case d.took|m.leased(s) == m.all():
			n.unmapped = 1
			emit("has taken all slots, unmaps the memory", drEnded)
		case took != 0:
			emit("takes the free slots", drTake)
		default:
			emit("finds no free slot, waits", drWait)
		}
	case drWait:
		if s.freed != 0 {
			n.freed = 0
			emit("takes the freed token", drTake)
		}
	}
	return out
}

// all returns a bit for each slot.
func (m *Calls) all() uint8 { return 1<<m.Slots - 1 }

// leased returns the slots that a mistaken drain does not wait for.
func (m *Calls) leased(s *State) (bit uint8) {
	if m.Mutation != UnmapUnderLease {
		return 0
	}
	for c := range m.Leases {
		if k := s.callers[c]; k.owns() {
			bit |= 1 << k.slot
		}
	}
	return bit
}
