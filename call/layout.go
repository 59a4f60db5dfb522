package call

import (
	"fmt"
	"os"
	"structs"
	"sync/atomic"

	"github.com/partywall/partywall/internal/region"
)

// ProtocolVersion is the version of the protocol, the layout of shared memory and
// the messages together. Client and server must have the same; Dial fails with
// [partywall.ErrVersion] otherwise.
const ProtocolVersion = 3

// The control region's layout; docs/LAYOUT.md draws it. Words of different
// writers are apart by two cache lines, since processors fetch lines in pairs.
const (
	// maxSlots is how many calls a conn can have in flight.
	maxSlots = 1024

	// minRoom is the room that every slot has for an argument and for a result.
	// An error's text lies where the result would.
	minRoom = 448

	// maxRoom bounds a fixed-layout argument or result in bytes.
	maxRoom = 64 << 10

	// maxMeta bounds the metadata of a call in bytes.
	maxMeta = 4 << 10

	partHeader = 64

	clientBellOffset = 128
	clientCPUOffset  = clientBellOffset + 4
	serverBellOffset = 256
	serverCPUOffset  = serverBellOffset + 4
	pendingOffset    = 384 // 64 slots in each word, up to 512
	slotsOffset      = 4096
)

// magic begins every control region.
var magic = [8]byte{'P', 'W', 'A', 'L', 'L', 'C', 'T', '3'}

// controlHeader lies at the region's start, for whoever looks at one from
// outside. Both sides take the geometry from the handshake instead.
type controlHeader struct {
	_          structs.HostLayout
	magic      [8]byte
	version    uint32
	slots      uint32
	argRoom    uint32
	resultRoom uint32
}

// requestPart is the beginning of a slot's request part, written by the client.
// The argument follows it.
type requestPart struct {
	_     structs.HostLayout
	seq   atomic.Uint32 // PROTOCOL.md: req
	waits atomic.Uint32 // the number of the request whose caller has parked last
	requestFields
	_ [16]byte
}

// requestFields are loaded once, as a whole, after seq.
type requestFields struct {
	method   uint32 // as RESOLVED said; counts from 1
	flags    uint32
	argLen   uint32
	region   uint32 // the body region's number, or 0
	deadline int64  // wait.ToClock, if flags say so
	bodyLen  uint64 // bytes at the region's start
	metaLen  uint32 // bytes of metadata behind the argument
	_        uint32
}

const (
	flagCancellable = 1 << iota // the caller may give up: the handler needs a context of its own
	flagDeadline                // deadline is set
	flagFetch                   // not a call: copy the result kept from the slot's last call
	knownFlags      = flagCancellable | flagDeadline | flagFetch
)

// responsePart is the beginning of a slot's response part, written by the
// server. The result follows it.
type responsePart struct {
	_   structs.HostLayout
	seq atomic.Uint32 // PROTOCOL.md: rsp
	_   uint32
	responseFields
	_ [40]byte
}

// responseFields are loaded once, as a whole, after seq.
type responseFields struct {
	status    uint32
	resultLen uint32 // bytes of the result, or of the error's text
	bodyLen   uint64 // bytes of the result's body
}

const (
	statusDone    = 1 + iota // the result is there, and its body in the region lent
	statusKept               // as done, but all that does not lie in the slot is kept
	statusError              // the handler's error
	statusPanic              // the handler's panic
	statusRefused            // the service is shutting down; the handler did not run
	statusQuota              // the result's body exceeds the client's quota
	statusLayout             // the argument cannot be decoded; the handler did not run
	statusLate               // the handler's error is that the caller's deadline has passed
)

// geometry is what differs between control regions.
type geometry struct {
	slots, argRoom, resultRoom int
}

func (g geometry) check() error {
	switch {
	case g.slots < 64 || g.slots > maxSlots || g.slots%64 != 0:
		return fmt.Errorf("%d slots; a multiple of 64 up to %d is legal", g.slots, maxSlots)
	case g.argRoom < minRoom || g.argRoom > maxRoom || g.argRoom%64 != 0:
		return fmt.Errorf("room for an argument of %d bytes; a multiple of 64 from %d to %d is legal", g.argRoom, minRoom, maxRoom)
	case g.resultRoom < minRoom || g.resultRoom > maxRoom || g.resultRoom%64 != 0:
		return fmt.Errorf("room for a result of %d bytes; a multiple of 64 from %d to %d is legal", g.resultRoom, minRoom, maxRoom)
	}
	return nil
}

func (g geometry) requestSize() int { return roundUp(partHeader+g.argRoom, 128) }
func (g geometry) slotSize() int    { return g.requestSize() + roundUp(partHeader+g.resultRoom, 128) }

// size is the size of the whole region, in whole pages.
func (g geometry) size() int64 {
	return int64(roundUp(slotsOffset+g.slots*g.slotSize(), os.Getpagesize()))
}

// bodyOffset is where the next thing begins in a region that holds n bytes.
func bodyOffset(n uint64) uint64 { return (n + 63) &^ 63 }

// bulk is how many bytes of a region a body takes with what lies behind it.
func bulk(body, behind uint64) uint64 {
	if behind == 0 {
		return body
	}
	return bodyOffset(body) + behind
}

// spill says how much of an argument and of the metadata behind it lies in the body
// region, having no room in the slot.
func (g geometry) spill(argLen, metaLen uint32) (arg, meta uint64) {
	switch room := int64(g.argRoom); {
	case int64(argLen) > room:
		return uint64(argLen), uint64(metaLen)
	case int64(argLen)+int64(metaLen) > room:
		return 0, uint64(metaLen)
	}
	return 0, 0
}

// spillResult says how much of a result lies in the body region.
func (g geometry) spillResult(n uint32) uint64 {
	if int64(n) > int64(g.resultRoom) {
		return uint64(n)
	}
	return 0
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// control is a mapped control region: typed views of it.
type control struct {
	geometry
	region     *region.Region
	clientBell *atomic.Uint32
	serverBell *atomic.Uint32
	clientCPU  *atomic.Uint32 // hints: wait.Place
	serverCPU  *atomic.Uint32
	pending    []*atomic.Uint64
}

func newControl(g geometry, r *region.Region) *control {
	mem := r.Bytes()
	c := &control{
		geometry:   g,
		region:     r,
		clientBell: region.At[atomic.Uint32](mem, clientBellOffset),
		serverBell: region.At[atomic.Uint32](mem, serverBellOffset),
		clientCPU:  region.At[atomic.Uint32](mem, clientCPUOffset),
		serverCPU:  region.At[atomic.Uint32](mem, serverCPUOffset),
	}
	for i := 0; i < g.slots/64; i++ {
		c.pending = append(c.pending, region.At[atomic.Uint64](mem, pendingOffset+8*i))
	}
	return c
}

func (c *control) writeHeader() {
	h := region.At[controlHeader](c.region.Bytes(), 0)
	h.magic, h.version = magic, ProtocolVersion
	h.slots, h.argRoom, h.resultRoom = uint32(c.slots), uint32(c.argRoom), uint32(c.resultRoom)
}

// slotView is the memory of one slot.
type slotView struct {
	req    *requestPart
	rsp    *responsePart
	arg    []byte // argRoom bytes
	result []byte // resultRoom bytes

	// The first words of arg and result, by which their cache lines are fetched before they are used.
	argLine, resultLine *atomic.Uint32
}

func (c *control) slot(i int) slotView {
	mem := c.region.Bytes()
	at := slotsOffset + i*c.slotSize()
	rsp := at + c.requestSize()
	return slotView{
		req:    region.At[requestPart](mem, at),
		rsp:    region.At[responsePart](mem, rsp),
		arg:    mem[at+partHeader : at+partHeader+c.argRoom : at+partHeader+c.argRoom],
		result: mem[rsp+partHeader : rsp+partHeader+c.resultRoom : rsp+partHeader+c.resultRoom],

		argLine:    region.At[atomic.Uint32](mem, at+partHeader),
		resultLine: region.At[atomic.Uint32](mem, rsp+partHeader),
	}
}
