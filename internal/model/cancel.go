package model

import "math/bits"

// Cancels is a third machine: what a CANCEL that is late does to the calls that
// come after it in the same slot, a lease's or anybody's. One caller makes one call
// after the other in one slot and may give up each; then the next begins when the
// server has answered. Everything but the numbers and the contexts is left out.
type Cancels struct {
	Calls    int // at most 7
	Mutation CancelMutation
}

// A CancelMutation is a seeded mistake in the machine of cancellations.
type CancelMutation uint8

// The mistakes, each of which the properties must catch.
const (
	_              CancelMutation = iota
	ContextFirst                  // the context is stored before its call's number
	AnyContext                    // the number is not compared
	GivenForgotten                // the runner does not look whether its caller has given up already
	GivenAny                      // a late CANCEL overwrites a newer one
	GivenHalf                     // which of two is newer is told by the half of all numbers between them
	cancelMutations
)

var cancelMutationNames = [cancelMutations]string{
	"none", "context stored before its number", "number not compared", "given up before the context, forgotten",
	"late CANCEL overwrites a newer", "newer by half of the numbers",
}

// String returns a short name.
func (m CancelMutation) String() string { return cancelMutationNames[m] }

// Where the runner is.
const (
	runIdle    = iota // take the next request
	runNumber         // store its number
	runContext        // store its context
	runGiven          // look whether it was given up already
	runHandler        // the handler
	runEnd            // take the context away
	runAnswer         // move let go, and then rsp
)

// Where the reader is with a CANCEL.
const (
	readIdle  = iota // take a CANCEL from the socket
	readGiven        // store given
	readLoad         // load the context
	readEnd          // load the number: end the context if it is the same
)

// cancelNumbers is the modulus of the numbers; a context is known by its call's.
const cancelNumbers = 8

// CancelState is the whole state of the machine of cancellations. The numbers of
// calls begin at 1; 0 is none.
type CancelState struct {
	req, rsp uint8 // rsp stands for let go too
	waits    uint8 // the caller of req may give up
	socket   uint8 // bits: CANCELs on their way, in whatever order: some had to wait for the socket
	gaveUp   uint8 // bits, a ghost

	runner, cancellable uint8
	running, ctx, given uint8
	ended               uint8 // bits: contexts that have ended

	reader, message, loaded uint8
}

// Init returns the state in which nothing was called.
func (m *Cancels) Init() CancelState { return CancelState{} }

// Check returns the safety property that s violates, or "".
func (m *Cancels) Check(s *CancelState) string {
	if s.ended&^s.gaveUp != 0 {
		return "a CANCEL ends no context but that of its call"
	}
	return ""
}

// Goal returns "" if every call was answered. A handler whose caller may give up
// and has done so is taken to wait for its context.
func (m *Cancels) Goal(s *CancelState) string {
	if s.rsp != s.req || int(s.req) != m.Calls {
		return "a handler whose caller has given up is told"
	}
	return ""
}

// Next appends the steps of every actor that can move.
func (m *Cancels) Next(s *CancelState, out []Succ[CancelState]) []Succ[CancelState] {
	n := *s
	emit := func(who, what string, chance bool) {
		out = append(out, Succ[CancelState]{Who: who, What: what, State: n, Chance: chance})
		n = *s
	}
	if s.rsp == s.req && int(s.req) < m.Calls {
		n.req++
		n.cancellable, n.waits = 0, 0
		emit("caller", "publishes, and cannot give up", false)
		n.req++
		n.cancellable, n.waits = 1, 1
		emit("caller", "publishes", false)
	}
	if s.waits != 0 { // it may not have seen its answer
		n.waits = 0
		n.gaveUp |= 1 << s.req
		n.socket |= 1 << s.req
		emit("caller", "gives up: sends CANCEL", true)
	}
	for set := s.socket; set != 0 && s.reader == readIdle; set &= set - 1 {
		n.message = uint8(bits.TrailingZeros8(set))
		n.socket &^= 1 << n.message
		if n.reader = readGiven; m.stale(s, n.message) {
			n.reader, n.message = readIdle, 0
			emit(readerNames[server], "reads a CANCEL: stale", false)
		} else {
			emit(readerNames[server], "reads a CANCEL", false)
		}
	}
	switch s.reader {
	case readGiven:
		n.given, n.reader = s.message, readLoad
		emit(readerNames[server], "stores which call was given up", false)
	case readLoad:
		if n.loaded, n.reader = s.ctx, readEnd; s.ctx == 0 {
			n.reader, n.message = readIdle, 0
		}
		emit(readerNames[server], "loads the context", false)
	case readEnd:
		if (s.running == s.message || m.Mutation == AnyContext) && s.loaded == s.req && s.runner <= runHandler {
			n.ended |= 1 << s.loaded // a handler that has returned does not notice
		}
		n.reader, n.message, n.loaded = readIdle, 0, 0
		emit(readerNames[server], "looks whose context it is", false)
	}
	return m.run(s, out)
}

// stale reports whether the reader drops a CANCEL: its call is not the one that is
// to be answered next.
func (m *Cancels) stale(s *CancelState, n uint8) bool {
	switch m.Mutation {
	case GivenAny:
		return false
	case GivenHalf:
		return s.given != 0 && (n-s.given)%cancelNumbers >= cancelNumbers/2
	}
	return n != s.rsp+1
}

// run appends the step of whoever runs the slot's requests.
func (m *Cancels) run(s *CancelState, out []Succ[CancelState]) []Succ[CancelState] {
	n := *s
	emit := func(what string, pc uint8) {
		n.runner = pc
		out = append(out, Succ[CancelState]{Who: handlerName, What: what, State: n})
		n = *s
	}
	first, second := uint8(runNumber), uint8(runContext)
	if m.Mutation == ContextFirst {
		first, second = second, first
	}
	after := func(pc uint8) uint8 {
		if pc == first {
			return second
		}
		return runGiven
	}
	switch s.runner {
	case runIdle:
		switch {
		case s.req == s.rsp:
		case s.cancellable == 0:
			emit("takes a request", runHandler)
		default:
			emit("takes a request", first)
		}
	case runNumber:
		n.running = s.req
		emit("stores the call's number", after(runNumber))
	case runContext:
		n.ctx = s.req
		emit("stores the call's context", after(runContext))
	case runGiven:
		if s.given == s.req && m.Mutation != GivenForgotten {
			n.ended |= 1 << s.req
		}
		emit("looks whether the call was given up already", runHandler)
	case runHandler:
		if s.cancellable != 0 && s.gaveUp&(1<<s.req) != 0 && s.ended&(1<<s.req) == 0 {
			break
		}
		if s.cancellable == 0 {
			emit("runs", runAnswer)
		} else {
			emit("runs", runEnd)
		}
	case runEnd:
		n.ctx = 0
		emit("takes the context away", runAnswer)
	case runAnswer:
		n.rsp = s.req
		emit("answers", runIdle)
	}
	return out
}
