package procmem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapPages maps readable and writable memory, behind which there is none.
func mapPages(n int) (uintptr, error) {
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(n+1)*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return 0, err
	}
	return uintptr(p), unix.MunmapPtr(unsafe.Add(p, n*pageSize), pageSize)
}

// protects: the system holds transfers to the protection of pages.
const protects = true

// setPage changes what may be done with a page that mapPages has mapped.
func setPage(at uintptr, s pageState) error {
	if s == pageUnmapped {
		return unix.MunmapPtr(pointer(at), pageSize)
	}
	prot := map[pageState]int{pageUsable: unix.PROT_READ | unix.PROT_WRITE, pageReadOnly: unix.PROT_READ, pageNoAccess: unix.PROT_NONE}[s]
	return unix.Mprotect(bytesAt(at, pageSize), prot)
}

// bytesAt is memory of this process that the collector does not know.
func bytesAt(at uintptr, n int) []byte { return unsafe.Slice((*byte)(pointer(at)), n) }

func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }
