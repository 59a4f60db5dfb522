package model

var readerNames = [2]string{"client's reader", "server's reader"}

// stepReader appends the step of a side's reader.
func (m *Calls) stepReader(s *State, side int, out []Succ[State]) []Succ[State] {
	n := *s
	var what string
	switch {
	case s.ended[side] != 0:
		return out
	case s.rings[side] > 0:
		n.rings[side]--
		n.token[side] = 1
		what = "reads a ring, puts a token"
	case !s.alive(1 - side), side == server && s.closed != 0:
		n.ended[side] = 1
		what = "reads the end-of-file"
	default:
		return out
	}
	return append(out, Succ[State]{Who: readerNames[side], What: what, State: n})
}

// stepMonitor appends the step of the server's monitor: a worker that is in a
// handler loses its role. Time is not modelled: it may happen to any handler,
// at any moment, once.
func (m *Calls) stepMonitor(s *State, out []Succ[State]) []Succ[State] {
	if !m.Overtake || s.role != 0 {
		return out
	}
	n := *s
	if m.Mutation == MonitorRace && s.armed == 0 {
		if s.busy == 0 {
			return out
		}
		n.armed = 1
		return append(out, Succ[State]{Who: "monitor", What: "sees the worker in a handler", State: n, Chance: true})
	}
	if s.busy == 0 && m.Mutation != MonitorRace {
		return out
	}
	n.role, n.busy, n.armed = 1, 0, 0
	n.workers[1].pc = woLook
	if s.asleep[server] != 0 && m.Mutation != StandbyStaysOdd {
		n.workers[1].pc = woEven // the worker that has lost its role dozed
	}
	if m.Mutation == MonitorForgetsDoorbell {
		n.workers[1].pc = woPark
	}
	return append(out, Succ[State]{Who: "monitor", What: "gives the worker's role to the standby", State: n, Chance: true})
}

// stepLeave appends the steps that begin an orderly shutdown of the server.
func (m *Calls) stepLeave(s *State, out []Succ[State]) []Succ[State] {
	n := *s
	switch {
	case !m.Leave || !s.alive(server) || s.leaving == 2:
		return out
	case s.leaving == 0:
		n.leaving = 1
		return append(out, Succ[State]{Who: "server", What: "begins to shut down", State: n, Chance: true})
	default:
		n.leaving = 2
		n.token[server] = 1
		return append(out, Succ[State]{Who: "server", What: "puts the worker's token", State: n})
	}
}

// stepDeath appends the deaths that may happen now: at most one.
func (m *Calls) stepDeath(s *State, out []Succ[State]) []Succ[State] {
	if s.dead != 0 {
		return out
	}
	for side, name := range [2]string{"client", "server"} {
		if m.Death&(1<<side) != 0 {
			n := *s
			n.die(side)
			out = append(out, Succ[State]{Who: name, What: "dies", State: n, Chance: true})
		}
	}
	return out
}

// die ends side: its private state is gone and it takes no further step. What
// it wrote to shared memory and sent remains, but for its doorbell word: a ring
// for it has no effect any more.
func (s *State) die(side int) {
	other := 1 - side
	s.dead |= 1 << side
	s.rings[side], s.token[side], s.ended[side], s.asleep[side] = 0, 0, 0, 0
	s.rung[other], s.once[other] = 0, 0
	if side == client {
		s.free, s.dropped, s.list, s.hand, s.waiters, s.freed, s.idle = 0, 0, 0, 0, 0, 0, 0
		s.closed, s.unmapped, s.drain = 0, 0, drain{}
		s.mark = [maxSlots]uint8{}
		for c := range s.callers {
			s.callers[c] = caller{pc: cDone}
		}
		s.watcher = watcher{pc: waDone}
		return
	}
	s.seen, s.letGo = [maxSlots]uint8{}, [maxSlots]uint8{}
	s.hint, s.role, s.busy, s.armed, s.leaving = 0, 0, 0, 0, 0
	s.workers = [2]worker{}
	s.handlers = [maxHandlers]handler{}
}

// Next appends the steps of every actor that can move.
func (m *Calls) Next(s *State, out []Succ[State]) []Succ[State] {
	from := len(out)
	if s.alive(client) {
		for c := range m.Callers {
			out = m.caller(s, c, out)
		}
		out = m.stepWatcher(s, out)
		out = m.stepReader(s, client, out)
		out = m.stepClose(s, out)
		out = m.stepDrain(s, out)
	}
	if s.alive(server) {
		for i := range s.workers {
			out = m.stepWorker(s, i, out)
		}
		for i := range s.handlers {
			if i == 0 || s.handlers[i] != s.handlers[i-1] { // the same step
				out = m.stepOwn(s, i, out)
			}
		}
		out = m.stepReader(s, server, out)
		out = m.stepMonitor(s, out)
		out = m.stepLeave(s, out)
	}
	out = m.stepDeath(s, out)
	for i := from; i < len(out); i++ {
		m.canonical(&out[i].State)
	}
	return out
}
