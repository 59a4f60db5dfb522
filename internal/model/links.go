package model

// Links is the machine of a link on Windows: two rings of frames in shared memory, an event for
// each side, and the goroutines of two processes that send, ring, receive, wait for the system and close.
//
// A frame is the number of its message, from 1 in each direction. A handle is a bit of the client, which numbers it like
// the message that it comes with; one that is closed may be another object's by the next step.
type Links struct {
	Messages  int // that the client sends, at most 7
	Back      int // that the server sends
	Rings     int // of the client
	BackRings int // of the server
	Room      int // frames that a ring holds, 1 or 2

	Handles bool // each message of the client's comes with a handle
	GiveUp  bool // who waits for room may give up, and may try again with another handle
	Lingers bool // the end of file does not make a side close
	Closes  int  // bits: sides that may close at any time
	Dies    int  // bits: sides that may die at any time

	Mutation LinkMutation
}

// A LinkMutation is a seeded mistake in the machine of links.
type LinkMutation uint8

// The mistakes, each of which the properties must catch.
const (
	_              LinkMutation = iota
	WaitsLate                   // who waits for room says so after its second look
	WaitsUnseen                 // who reads does not look whether anybody waits for room
	WaitsBefore                 // who reads looks for that before it gives the room back
	WrittenEarly                // written is stored before the frame is copied in
	ReadEarly                   // read is stored before the frame is copied out
	ReadUntaken                 // read is stored before the handle is taken
	PutRingsFirst               // the event is signalled before written is stored
	EndLate                     // closed and dead are looked at after the ring
	RangForgotten               // rang is cleared before the receiver waits, without a look
	RangLate                    // rang is cleared after the message was dealt with
	TokenFirst                  // the callback gives the token before it sets rang
	NoSpaceToken                // the callback has no token for whoever waits for room
	DeathNoSpace                // neither has the one of a death
	DeathTokenLate              // that one gives its tokens before it stores dead
	CloseSilent                 // Close does not signal the event
	CloseRingsOnce              // Close signals before it stores closed
	CloseUnder                  // Close does not wait for who uses the memory
	HandleAtOnce                // a handle is closed when its frame is in the ring
	HandleKept                  // Close forgets the handles that are on their way
	HandleTwice                 // a send whose signal fails closes the handle of a frame that is in the ring
	TakenBlindly                // who has taken a handle does not look at closed
	linkMutations
)

var linkMutationNames = [linkMutations]string{
	"none", "waits stored after the second look", "waits not looked at", "waits looked at before read is stored",
	"written before the frame", "read before the frame is copied", "read before the handle is taken",
	"signal before written", "end looked at after the ring", "rang cleared before waiting",
	"rang cleared after the message", "token before rang", "no token for space", "death: no token for space",
	"death: tokens before dead", "close without a signal", "close signals first", "close under users",
	"handle closed after put", "handles on their way forgotten", "handle of a put frame closed by its sender", "closed not looked at after a take",
}

// String returns a short name.
func (m LinkMutation) String() string { return linkMutationNames[m] }

const linkRoom = 2

// LinkState is the whole state of the machine of links.
type LinkState struct {
	sides [2]linkSide
	bad   uint8
}

// A linkSide is what one process writes, what it keeps to itself, and where its goroutines are.
type linkSide struct {
	// In shared memory.
	written, read uint8
	waits, closed uint8
	ring          [linkRoom]uint8 // what it sends

	event     uint8 // signalled, for this side
	published uint8 // what it has told the other by rings without a message

	gone  uint8 // the process has died
	dead  uint8 // it knows that the peer has
	over  uint8 // Close has begun
	rang  uint8
	wake  uint8 // the tokens
	space uint8

	put, got uint8 // what this side's ends of the rings have come to
	seen     uint8 // what it knows of the other's published

	open   uint8 // bits: handles
	flight uint8 // bits: those that are on their way

	sender, waiting      uint8
	receiver             uint8
	second, ending       uint8 // the receiver's: it polls again after a signal; the peer had ended before it looked
	took, asked          uint8 // what became of a handle; WaitsBefore: the peer waits
	eof                  uint8 // it has returned the end of file
	ringer               uint8
	eventThread, watcher uint8 // that calls back for the event, for the peer's end
	closer               uint8
}

// What may be wrong at a step.
const (
	linkFine = iota
	linkMixed
	linkClosedTwice
	linkLiar
	linkStranger
)

var linkBadNames = [...]string{
	linkMixed:       "messages arrive whole, in order, and once",
	linkClosedTwice: "a handle is closed once, by its owner",
	linkLiar:        "an honest client is never taken for a liar",
	linkStranger:    "who takes a handle takes the one that was sent",
}

// Init returns the state in which both have joined.
func (m *Links) Init() (s LinkState) { return s }

// Check returns the safety property that s violates, or "".
func (m *Links) Check(s *LinkState) string {
	if s.bad != linkFine {
		return linkBadNames[s.bad]
	}
	for i := range s.sides {
		a, b := &s.sides[i], &s.sides[1-i]
		switch {
		case a.closer == lcDone && a.uses():
			return "the memory is mapped while anybody uses it"
		case a.eof != 0 && b.written != a.got:
			return "no message is lost before the end of file"
		}
	}
	return ""
}

// uses reports whether a goroutine of a process that lives uses the memory.
func (a *linkSide) uses() bool {
	return a.sender >= lsRoom && a.sender <= lsSignal || a.receiver >= lrLook && a.receiver <= lrSignal
}

// Goal returns "" if nobody who lives waits, or sleeps while there is something for him.
func (m *Links) Goal(s *LinkState) string {
	for i := range s.sides {
		a, b := &s.sides[i], &s.sides[1-i]
		switch {
		case a.gone != 0:
		case a.sender != lsIdle:
			return "who waits for room gets it, or an error"
		case a.eof != 0 && a.seen != b.published:
			return "what was published before the end is looked at after it"
		case a.over != 0 && a.closer != lcDone:
			return "Close ends"
		case a.over != 0 && a.receiver != lrEnd:
			return "Close ends Receive"
		case a.over != 0 && a.open != 0:
			return "no handle is left open"
		case a.over != 0, a.eof != 0 && m.Lingers:
		case b.gone != 0 || b.closed != 0:
			return "the peer's end is the end of file"
		case a.got != b.written:
			return "no receiver sleeps while a message is there"
		case a.seen != b.published:
			return "what was published before a ring is looked at after it"
		}
	}
	return ""
}

// Next appends the steps of every actor that can move.
func (m *Links) Next(s *LinkState, out []Succ[LinkState]) []Succ[LinkState] {
	from := len(out)
	for i := range s.sides {
		a := &s.sides[i]
		if a.gone != 0 {
			continue
		}
		out = m.sends(s, i, out)
		out = m.rings(s, i, out)
		out = m.receives(s, i, out)
		out = m.callsBack(s, i, out)
		out = m.closes(s, i, out)
		if m.Dies>>i&1 != 0 && a.closer != lcDone {
			n := *s
			n.sides[i] = a.left()
			out = append(out, Succ[LinkState]{Who: linkNames[i], What: "dies", State: n, Chance: true})
		}
	}
	for i := from; i < len(out); i++ {
		m.canonical(&out[i].State)
	}
	return out
}

// canonical makes states equal that differ only in what nobody looks at any more.
func (m *Links) canonical(s *LinkState) {
	for i := range s.sides {
		a := &s.sides[i]
		switch {
		case a.gone != 0:
			a.event = 0
		case a.closer == lcDone && a.receiver == lrEnd && a.sender == lsIdle && a.ringer == 0:
			*a = linkSide{
				written: a.written, read: a.read, closed: a.closed, ring: a.ring, published: a.published, over: 1,
				put: a.put, got: a.got, seen: a.seen, open: a.open, eof: a.eof, receiver: lrEnd, closer: lcDone,
			}
		}
		if !m.hasReceiver(i) {
			a.rang, a.wake = 0, 0
		}
		if [...]int{m.Messages, m.Back}[i] == 0 {
			a.space = 0
		}
	}
}

// hasReceiver reports whether a side has anything to receive.
func (m *Links) hasReceiver(i int) bool {
	return m.Closes|m.Dies != 0 || [...]int{m.Back + m.BackRings, m.Messages + m.Rings}[i] > 0
}

// left is what a process leaves: the words that it has written.
func (a *linkSide) left() linkSide {
	return linkSide{gone: 1, written: a.written, read: a.read, closed: a.closed, ring: a.ring, published: a.published}
}

var linkNames = [...]string{"client", "server"}

// closeHandle closes a handle of the client's.
func (s *LinkState) closeHandle(bit uint8) {
	if a := &s.sides[client]; a.open&bit != 0 {
		a.open &^= bit
	} else {
		s.bad = linkClosedTwice
	}
}
