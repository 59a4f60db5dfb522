package model

import "math/bits"

func (m *Bodies) id(s *BodyState, c int) uint8 { return uint8(c*m.Calls) + s.callers[c].call + 1 }

// finish ends caller c's call and gives back what it still has.
func (m *Bodies) finish(s *BodyState, c int, slot, region bool) {
	k := &s.callers[c]
	if region {
		s.region[k.region].state = regWarm
	}
	if slot {
		s.free |= 1 << k.slot
		s.slots[k.slot].id, s.slots[k.slot].answer = 0, 0
	}
	*k = bodyCaller{call: k.call + 1}
	if int(k.call) >= m.Calls || m.Lease && c == 0 {
		*k = bodyCaller{pc: bDone}
	}
}

// abandon leaves caller c's slot and region to the watcher; warm is a mistake.
func (m *Bodies) abandon(s *BodyState, c int, warm bool) {
	k := &s.callers[c]
	s.slots[k.slot].abandoned = 1
	s.region[k.region].state = regAbandoned
	if warm {
		s.region[k.region].state = regWarm
	}
	m.finish(s, c, false, false)
}

// drop publishes a FETCH without a region in an abandoned slot.
func (t *bodySlot) drop() {
	*t = bodySlot{req: (t.req + 1) % modulus, rsp: t.rsp, fetch: isDrop, abandoned: 1}
}

// caller appends the steps of caller c.
func (m *Bodies) caller(s *BodyState, c int, out []Succ[BodyState]) []Succ[BodyState] {
	n := *s
	k := &n.callers[c]
	emit := func(what string, chance bool) {
		out = append(out, Succ[BodyState]{Who: callerNames[c], What: what, State: n, Chance: chance})
		n = *s
	}
	slot := &n.slots[k.slot]
	lease := m.Lease && c == 0
	claimed := func() {
		if k.gen, k.pc = n.region[k.region].gen, bPublish; lease {
			k.pc = bHold
		}
	}
	switch k.pc {
	case bClaim:
		if s.free != 0 {
			k.slot = uint8(bits.TrailingZeros8(s.free))
			n.free &^= 1 << k.slot
			k.pc = bRegion
			emit("claims a slot", false)
		}
	case bRegion:
		for r := range uint8(2) {
			if k.fetch != 0 && r != large {
				continue
			}
			switch s.region[r].state {
			case regWarm:
				n.region[r].state = regInUse
				k.region = r
				claimed()
				emit("claims a warm region", false)
			case regNone:
				if n.queued < bodyQueue {
					n.region[r].state = regOffered
					n.region[r].gen = n.region[r].gen%3 + 1
					n.send(r)
					k.region, k.pc = r, bLent
					emit("sends LEND", false)
				}
			}
		}
		switch {
		case m.Cancel && k.fetch != 0:
			slot.drop()
			m.finish(&n, c, false, false)
			emit("gives up before it has a region: abandons the slot with a FETCH that drops", true)
		case m.Cancel:
			m.finish(&n, c, true, false)
			emit("gives up before it has a region", true)
		}
	case bLent:
		// The region itself says when LENT has come: see server.
		if r := s.region[k.region].state; r == regWarm || m.Mutation == PublishBeforeLent {
			n.region[k.region].state = regInUse
			claimed()
			emit("has its region lent", false)
		}
	case bHold:
		out = m.hold(s, c, out)
	case bOld:
		if s.slots[k.slot].req == s.slots[k.slot].rsp {
			k.pc = bPublish
			emit("sees the old answer", false)
		}
		if m.Cancel {
			k.call, k.pc = k.call+1, bHold
			emit("gives up waiting for the old answer", true)
		}
	case bPublish:
		id := m.id(s, c)
		n.region[k.region].bytes = id
		*slot = bodySlot{req: (slot.req + 1) % modulus, rsp: slot.rsp, id: id, region: k.region, fetch: k.fetch}
		if k.pc = bWait; lease {
			slot.place = 1
		}
		emit("writes the body, publishes", false)
	case bWait:
		if s.slots[k.slot].req == s.slots[k.slot].rsp {
			k.pc = bRead
			emit("sees its answer", false)
		}
		switch {
		case m.Cancel && lease:
			if m.Mutation == LeaseWarm {
				n.region[k.region].state = regWarm
			}
			k.call, k.pc = k.call+1, bHold
			emit("gives up: keeps slot and region", true)
		case m.Cancel:
			m.abandon(&n, c, m.Mutation == AbandonWarm)
			emit("gives up: abandons slot and region", true)
		}
	case bRead:
		id := m.id(s, c)
		switch {
		case slot.answer == ansLost:
			n.bad = bodyLost
			emit("is told that nothing was kept", false)
		case slot.answer == ansKept:
			n.region[k.region].state = regWarm
			k.fetch, k.pc = isFetch, bRegion
			if m.Mutation == FetchAfterRelease {
				n.free |= 1 << k.slot
				k.pc = bClaim
			}
			emit("is told that its result was kept", false)
		default:
			if s.region[k.region].bytes != id|hasResult {
				n.bad = bodyWrong
			}
			if lease {
				slot.id = 0
				k.call, k.pc = k.call+1, bHold
				emit("reads its result, keeps slot and region", false)
				break
			}
			m.finish(&n, c, true, true)
			emit("reads its result, returns", false)
		}
	}
	return out
}

// hold appends the steps of caller c, a lease, whose function runs: the region is
// its own until it returns.
func (m *Bodies) hold(s *BodyState, c int, out []Succ[BodyState]) []Succ[BodyState] {
	n := *s
	k := &n.callers[c]
	emit := func(what string) {
		out = append(out, Succ[BodyState]{Who: callerNames[c], What: what, State: n})
		n = *s
	}
	here := s.slots[k.slot].req == s.slots[k.slot].rsp
	if int(k.call) < m.Calls {
		if k.pc = bOld; here || m.Mutation == LeaseOverwrites {
			k.pc = bPublish
		}
		emit("calls")
	}
	if here {
		m.finish(&n, c, true, true)
		emit("its function returns: gives back slot and region")
	} else {
		m.abandon(&n, c, m.Mutation == LeaseEndWarm)
		emit("its function returns: abandons slot and region")
	}
	return out
}
