package document

import (
	"fmt"

	"github.com/partywall/partywall"
)

// How much memory the value of a document may take: so much for each byte of the
// document, but always minMemory. On 64-bit systems perByte is 32, which lets a
// document of MaxSize be a list of small integers, in an any too.
const (
	perByte   = 16 << (^uint(0) >> 63)
	minMemory = 64 << 20
)

// What the parts of a value take, in bytes, more or less.
const (
	mapBytes     = 48  // an empty map
	mapFactor    = 2   // the places of a map's table, for each that is in use
	anyBytes     = 16  // a slot for an any
	boxBytes     = 8   // a number in an any
	headerBytes  = 24  // a slice in an any
	textBytes    = 16  // a string in an any
	unknownBytes = 128 // what the library keeps of a key that no field has
)

// use counts n times size bytes of memory. n is at most MaxSize.
func (s *scanner) use(n, size uint64) *fault {
	if s.memory -= int64(n) * int64(min(size, 1<<36)); s.memory < 0 {
		return &fault{err: errMemory, whole: true}
	}
	return nil
}

var errMemory = fmt.Errorf("%w: the value of the document would take more than %d MiB and more than %d times the document's length: send it in parts",
	partywall.ErrTooLarge, minMemory>>20, perByte)
