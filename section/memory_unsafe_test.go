package section

import (
	"unsafe"

	"github.com/partywall/partywall/internal/region"
)

// newMemory returns bytes that begin at a multiple of 64, as mapped memory does.
func newMemory(n int) []byte {
	mem := make([]byte, n+64)
	skip := -uintptr(unsafe.Pointer(&mem[0])) % 64
	return mem[skip : skip+uintptr(n)]
}

func borrowed(mem []byte) *region.Region { return region.Borrow(mem) }

// Where the words of an entry lie.
const (
	entrySize     = int(unsafe.Sizeof(entry{}))
	entryWho      = int(unsafe.Offsetof(entry{}.who))
	entryPins     = int(unsafe.Offsetof(entry{}.pins))
	entrySince    = int(unsafe.Offsetof(entry{}.since))
	entryWatchers = int(unsafe.Offsetof(entry{}.watchers))
	entryRole     = int(unsafe.Offsetof(entry{}.role))
)
