package model

// answered is bodyHandler.busy of a handler whose rsp is stored: RegionDoneLate.
const answered = 2

// unlend marks a message in the queue as UNLEND; without it, it is LEND.
const unlend = 0x80

// send queues a message for the server.
func (s *BodyState) send(b uint8) {
	s.queue[s.queued] = b
	s.queued++
}

// client appends the steps of the client's watcher, of whoever drops idle
// regions, and its death.
func (m *Bodies) client(s *BodyState, out []Succ[BodyState]) []Succ[BodyState] {
	n := *s
	emit := func(who, what string, chance bool) {
		out = append(out, Succ[BodyState]{Who: who, What: what, State: n, Chance: chance})
		n = *s
	}
	for i := range s.slots {
		t := &n.slots[i]
		if t.abandoned == 0 || t.req != t.rsp {
			continue
		}
		if m.Mutation != AbandonWarm && t.fetch != isDrop && n.region[t.region].state == regAbandoned {
			n.region[t.region].state = regWarm
		}
		if t.answer == ansKept && m.Mutation != KeptForNobody {
			t.drop()
			emit(watcherName, "finds an abandoned slot answered KEPT: publishes a FETCH that drops", false)
			continue
		}
		t.abandoned, t.id, t.answer = 0, 0, 0
		n.free |= 1 << i
		emit(watcherName, "frees an abandoned slot and its region", false)
	}
	for r := range s.region {
		state := s.region[r].state
		drop := state == regWarm || m.Mutation == UnlendInUse && state == regInUse
		for _, k := range s.callers {
			// The caller that has just lent it claims it with LENT.
			drop = drop && (k.pc != bLent || int(k.region) != r)
			drop = drop || m.Mutation == UnlendLeased && k.pc == bHold && int(k.region) == r
		}
		if drop && s.queued < bodyQueue {
			n.region[r].state = regNone
			n.send(uint8(r) | unlend)
			emit("client", "drops an idle region: sends UNLEND", true)
		}
	}
	if m.Death {
		n.callers = [2]bodyCaller{}
		for r := range n.region {
			n.region[r].state = regNone
		}
		n.free, n.dead = 0, true
		emit("client", "dies", true)
	}
	return out
}

// server appends the steps of the server's reader and handlers.
func (m *Bodies) server(s *BodyState, out []Succ[BodyState]) []Succ[BodyState] {
	n := *s
	emit := func(who, what string) {
		out = append(out, Succ[BodyState]{Who: who, What: what, State: n})
		n = *s
	}
	busy := s.work[0].busy+s.work[1].busy != 0
	switch {
	case s.queued > 0:
		b := s.queue[0]
		copy(n.queue[:], s.queue[1:])
		n.queue[bodyQueue-1] = 0
		n.queued--
		if r := b &^ unlend; b&unlend != 0 {
			n.mapped[r] = 0
			emit(readerNames[server], "reads UNLEND: unmaps")
		} else {
			n.mapped[r] = s.region[r].gen
			if n.region[r].state == regOffered {
				n.region[r].state = regWarm
			}
			emit(readerNames[server], "reads LEND: maps, says LENT")
		}
	case s.dead && !s.ended:
		n.ended = true
		if m.Mutation == UnmapAtOnce {
			n.mapped = [2]uint8{}
		}
		emit(readerNames[server], "reads the end-of-file")
	case s.ended && !busy && s.mapped != [2]uint8{}:
		n.mapped = [2]uint8{}
		emit("server", "unmaps: its last handler has returned")
	}
	for i := range s.work {
		t, h := &n.slots[i], &n.work[i]
		if h.busy == 0 {
			if t.req == t.rsp || s.ended {
				continue
			}
			*h = bodyHandler{busy: 1, id: t.id, region: t.region, gen: s.mapped[t.region], fetch: t.fetch, place: t.place}
			if t.fetch == isDrop {
				*h = bodyHandler{busy: 1, fetch: isDrop}
			} else if h.gen == 0 || h.gen != s.region[t.region].gen {
				n.bad = bodyUnmapped
			} else if o := s.work[1-i]; o.busy != 0 && o.fetch != isDrop && o.region == h.region {
				n.bad = bodyLie // a region serves one call at a time
			}
			emit(handlerName, "takes a request")
			continue
		}
		out = m.answer(s, i, out)
	}
	return out
}

// answer appends the ways in which slot i's handler may answer. Its use of the
// region is over before rsp is stored, which is why both are one step.
func (m *Bodies) answer(s *BodyState, i int, out []Succ[BodyState]) []Succ[BodyState] {
	n := *s
	t := &n.slots[i]
	h := s.work[i]
	end := func(answer uint8, what string) {
		if s.mapped[h.region] != h.gen {
			n.bad = bodyUnmapped
		} else if s.region[h.region].bytes != h.id {
			n.bad = bodyShared
		}
		if answer == ansResult {
			n.region[h.region].bytes = h.id | hasResult
		}
		t.answer, t.rsp = answer, t.req
		n.work[i] = bodyHandler{}
		if m.Mutation == RegionDoneLate {
			n.work[i] = h
			n.work[i].busy = answered
		}
		out = append(out, Succ[BodyState]{Who: handlerName, What: what, State: n})
		n = *s
	}
	if h.busy == answered {
		n.work[i] = bodyHandler{}
		return append(out, Succ[BodyState]{Who: handlerName, What: "lets go of its region", State: n})
	}
	if h.fetch == isDrop {
		n.kept[i] = 0
		t.answer, t.rsp = ansResult, t.req
		n.work[i] = bodyHandler{}
		return append(out, Succ[BodyState]{Who: handlerName, What: "drops the kept result", State: n})
	}
	if h.fetch == isFetch {
		// A FETCH, like any request, is the end of what was kept.
		n.kept[i] = 0
		switch {
		case s.kept[i] == h.id:
			end(ansResult, "copies the kept result")
		case s.kept[i] == 0:
			end(ansLost, "has kept nothing")
		default:
			n.bad = bodyWrong
			end(ansResult, "copies another call's kept result")
		}
		return out
	}
	run := func() {
		if n.ran&(1<<(h.id-1)) != 0 {
			n.bad = bodyTwice
		}
		n.ran |= 1 << (h.id - 1)
		n.kept[i] = 0
	}
	run()
	end(ansResult, "runs; the result fits")
	if h.region != large && h.place == 0 {
		run()
		if m.Mutation != KeptForgotten {
			n.kept[i] = h.id
		}
		end(ansKept, "runs; keeps the result")
	}
	return out
}
