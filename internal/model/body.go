package model

// Bodies is a second, smaller machine: which call uses which body region, and
// results that the server keeps. Waking is left out; a caller sees its answer
// when it is there. Two callers share two slots and two regions: region 0 is
// small, and a result may not fit into it; region 1 is large.
//
// What a request or an answer has in its region is one thing here: the body, and
// behind it the argument, the metadata or the result that do not fit into the slot.
// They are written, copied and kept together.
type Bodies struct {
	Calls    int  // calls that each caller makes, at most 2
	Lease    bool // the first caller is a lease: it makes all its calls in one slot and one region
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
	RegionDoneLate                 // the server stores rsp before the call's use of its region is over
	LeaseWarm                      // a lease that gives up makes its region warm
	LeaseEndWarm                   // a lease that ends with its answer outstanding makes its region warm
	UnlendLeased                   // a region is unlent between two calls of its lease
	LeaseOverwrites                // a lease publishes without waiting for the old answer
	bodyMutations
)

var bodyMutationNames = [bodyMutations]string{
	"none", "abandoned region warm at once", "published before LENT", "unlent while in use",
	"unmapped under a handler", "released before FETCH", "kept result dropped",
	"kept for nobody", "region let go after the answer", "lease gives up its region", "lease ends with its region warm",
	"unlent while leased", "lease publishes before the old answer",
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
	bHold           // a lease between two calls: its function runs
	bOld            // a lease's next call: wait for the old answer
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

type bodyCaller struct{ pc, slot, region, gen, call, fetch uint8 }

// In place, there is no result but in the slot: none is kept.
type bodySlot struct{ req, rsp, id, region, fetch, place, answer, abandoned uint8 }

type bodyRegion struct{ state, gen, bytes uint8 }

type bodyHandler struct{ busy, id, region, gen, fetch, place uint8 }

const (
	bodyNone uint8 = iota
	bodyUnmapped
	bodyShared
	bodyTwice
	bodyLost
	bodyWrong
	bodyLie
)

var bodyBadNames = [...]string{
	bodyUnmapped: "the region of a call is mapped from take to answer",
	bodyShared:   "a region serves one call at a time",
	bodyTwice:    "nothing is computed twice",
	bodyLost:     "a kept result lives until the slot's next request",
	bodyWrong:    "a result reaches only the call that asked",
	bodyLie:      "an honest peer is never taken for a liar",
}

// Init returns the state in which no region has been lent.
func (m *Bodies) Init() BodyState { return BodyState{free: 3} }

// Check returns the safety property that s violates, or "".
func (m *Bodies) Check(s *BodyState) string {
	if s.bad != bodyNone {
		return bodyBadNames[s.bad]
	}
	for i, h := range s.work {
		if h.busy == 0 || h.busy == answered || h.fetch == isDrop || s.dead {
			continue
		}
		if r := s.region[h.region]; r.state != regInUse && r.state != regAbandoned || r.gen != h.gen {
			return "a region is not used again before the server has let go of it"
		}
		if other := s.work[1-i]; other.busy == 1 && other.fetch != isDrop && other.region == h.region {
			return bodyBadNames[bodyShared]
		}
	}
	for _, k := range s.callers {
		if k.pc < bPublish || k.pc > bRead || s.dead {
			continue
		}
		if r := s.region[k.region]; r.state != regInUse || r.gen != k.gen {
			return "a region is mapped, and nobody else's, for as long as its caller may touch it"
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
