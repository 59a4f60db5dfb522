package model

import "math/bits"

// Bodies is a second, smaller machine: which call uses which body region, and
// results that the server keeps. Waking is left out; a caller sees its answer
// when it is there. Two callers share two slots and two regions: region 0 is
// small, and a result may not fit into it; region 1 is large.
type Bodies struct {
	Calls    int  // calls that each caller makes, at most 2
	Cancel   bool // a caller may give up wherever it waits
	Death    bool // the client may die
	Mutation BodyMutation
}

// A BodyMutation is a seeded mistake in the machine of bodies.
type BodyMutation uint8

// The mistakes, each of which the properties must catch.
const (
	_                 BodyMutation = iota
	AbandonWarm                    // an abandoned call's region is warm at once
	PublishBeforeLent              // a region is used before the server said LENT
	UnlendInUse                    // a region is unlent while a call has it
	UnmapAtOnce                    // the end of the conn unmaps under a handler
	FetchAfterRelease              // the caller releases its slot before it fetches
	KeptForgotten                  // the server drops the kept result with its answer
	KeptForNobody                  // the watcher frees an abandoned slot that is answered KEPT
	bodyMutations
)

var bodyMutationNames = [bodyMutations]string{
	"none", "abandoned region warm at once", "published before LENT", "unlent while in use",
	"unmapped under a handler", "released before FETCH", "kept result dropped",
	"kept for nobody",
}

// String returns a short name.
func (m BodyMutation) String() string { return bodyMutationNames[m] }

// States of a region, as the client sees it; NEW and OFFERED are one.
const (
	regNone = iota
	regOffered
	regWarm
	regInUse
	regAbandoned
)

// Where a caller is.
const (
	bClaim   = iota // take a free bit
	bRegion         // claim a region, or lend one
	bLent           // wait for LENT
	bPublish        // write the body, store req
	bWait           // wait for the answer
	bRead           // read the answer
	bDone
)

// Answers.
const (
	ansNone = iota
	ansResult
	ansKept
	ansLost // FETCH found nothing: a mistake
)

// large is the region that every result fits into.
const large = 1

// What a request is, in bodySlot.fetch.
const (
	isCall  = iota
	isFetch // copy what is kept
	isDrop  // FETCH without a region: drop what is kept
)

// hasResult marks a region's bytes, or a request's id, as the result.
const hasResult = 0x40

// BodyState is the whole state of the machine of bodies.
type BodyState struct {
	callers [2]bodyCaller
	slots   [2]bodySlot
	free    uint8           // bits
	region  [2]bodyRegion   // as the client sees them
	mapped  [2]uint8        // which generation of a region the server has mapped; 0: none
	work    [2]bodyHandler  // a slot's handler
	kept    [2]uint8        // a slot's kept result
	queue   [bodyQueue]byte // LEND and UNLEND on their way to the server
	queued  uint8
	dead    bool
	ended   bool
	ran     uint8
	bad     uint8
}

const bodyQueue = 4

type bodyCaller struct{ pc, slot, region, call, fetch uint8 }

type bodySlot struct{ req, rsp, id, region, fetch, answer, abandoned uint8 }

type bodyRegion struct{ state, gen, bytes uint8 }

type bodyHandler struct{ busy, id, region, gen, fetch uint8 }

const (
	bodyNone uint8 = iota
	bodyUnmapped
	bodyShared
	bodyTwice
	bodyLost
	bodyWrong
)

var bodyBadNames = [...]string{
	bodyUnmapped: "the region of a call is mapped from take to answer",
	bodyShared:   "a region serves one call at a time",
	bodyTwice:    "nothing is computed twice",
	bodyLost:     "a kept result lives until the slot's next request",
	bodyWrong:    "a result reaches only the call that asked",
}

// Init returns the state in which no region has been lent.
func (m *Bodies) Init() BodyState { return BodyState{free: 3} }

// Check returns the safety property that s violates, or "".
func (m *Bodies) Check(s *BodyState) string {
	if s.bad != bodyNone {
		return bodyBadNames[s.bad]
	}
	for i, h := range s.work {
		if h.busy == 0 || h.fetch == isDrop || s.dead {
			continue
		}
		if r := s.region[h.region]; r.state != regInUse && r.state != regAbandoned || r.gen != h.gen {
			return "a region is not used again before the server has let go of it"
		}
		if other := s.work[1-i]; other.busy != 0 && other.fetch != isDrop && other.region == h.region {
			return bodyBadNames[bodyShared]
		}
	}
	return ""
}

// Goal returns "" if all calls have returned and everything lent is accounted for.
func (m *Bodies) Goal(s *BodyState) string {
	if s.dead {
		if !s.ended || s.mapped != [2]uint8{} {
			return "the server unmaps everything when the client has died"
		}
		return ""
	}
	for _, c := range s.callers {
		if c.pc != bDone {
			return "every caller returns"
		}
	}
	for _, r := range s.region {
		if r.state == regInUse || r.state == regAbandoned {
			return "an abandoned region is warm again once the server has let go"
		}
	}
	if s.free != 3 {
		return "an abandoned slot is freed once the server has let go"
	}
	if s.kept != [2]uint8{} {
		return "nothing is kept for a caller who has gone"
	}
	return ""
}

// Next appends the steps of every actor that can move.
func (m *Bodies) Next(s *BodyState, out []Succ[BodyState]) []Succ[BodyState] {
	if !s.dead {
		for c := range s.callers {
			out = m.caller(s, c, out)
		}
		out = m.client(s, out)
	}
	return m.server(s, out)
}

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
	if int(k.call) == m.Calls {
		k.pc = bDone
	}
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
				k.region, k.pc = r, bPublish
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
			k.pc = bPublish
			emit("has its region lent", false)
		}
	case bPublish:
		id := m.id(s, c)
		n.region[k.region].bytes = id
		*slot = bodySlot{req: (slot.req + 1) % modulus, rsp: slot.rsp, id: id, region: k.region, fetch: k.fetch}
		k.pc = bWait
		emit("writes the body, publishes", false)
	case bWait:
		if s.slots[k.slot].req == s.slots[k.slot].rsp {
			k.pc = bRead
			emit("sees its answer", false)
		}
		if m.Cancel {
			slot.abandoned = 1
			n.region[k.region].state = regAbandoned
			if m.Mutation == AbandonWarm {
				n.region[k.region].state = regWarm
			}
			m.finish(&n, c, false, false)
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
			m.finish(&n, c, true, true)
			emit("reads its result, returns", false)
		}
	}
	return out
}
