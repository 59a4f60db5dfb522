package rendezvous

import (
	"sync/atomic"

	"github.com/partywall/partywall/internal/region"
)

// The memory of a link: docs/LAYOUT.md, "Links on Windows". The words of each side are a pair of
// cache lines apart.
const (
	linkVersion = 1

	ringBytes    = 64 << 10 // of each direction
	clientWords  = 128
	serverWords  = 256
	clientRing   = 4096 // what the client writes
	serverRing   = clientRing + ringBytes
	linkSize     = serverRing + ringBytes
	maxMadeBytes = 1 << 30 // a control region is smaller
)

// linkWords are the words of one side, which it alone writes.
type linkWords struct {
	written atomic.Uint64 // into its own ring
	read    atomic.Uint64 // from the peer's
	waits   atomic.Uint32 // it waits for room in its own ring
	closed  atomic.Uint32 // it has closed the link
}

// linkMemory is a link's memory as one side sees it.
type linkMemory struct {
	mine, theirs *linkWords
	out, in      ring
}

// newLinkMemory lays the link's words over its memory.
func newLinkMemory(mem []byte, client bool) *linkMemory {
	c, s := region.At[linkWords](mem, clientWords), region.At[linkWords](mem, serverWords)
	toServer := ring{mem: mem[clientRing:serverRing], written: &c.written, read: &s.read}
	toClient := ring{mem: mem[serverRing:linkSize], written: &s.written, read: &c.read}
	if client {
		return &linkMemory{mine: c, theirs: s, out: toServer, in: toClient}
	}
	return &linkMemory{mine: s, theirs: c, out: toClient, in: toServer}
}
