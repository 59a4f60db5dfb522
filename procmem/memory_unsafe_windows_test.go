package procmem

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapPages maps readable and writable memory, behind which there is none: not even
// what Wine keeps for itself, which it would read.
func mapPages(n int) (at uintptr, err error) {
	for i := range uint64(1000) {
		far := 0x200_0000_0000 + i<<32 // anywhere, for a 32-bit program
		at, err = windows.VirtualAlloc(uintptr(far), uintptr(n)*pageSize, windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
		if err == nil {
			break
		}
	}
	return at, err
}

// protects: the system holds transfers to the protection of pages. Wine does not.
var protects = windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil

// setPage changes what may be done with a page that mapPages has mapped.
func setPage(at uintptr, s pageState) error {
	if s == pageUnmapped {
		return windows.VirtualFree(at, pageSize, windows.MEM_DECOMMIT)
	}
	protect := map[pageState]uint32{pageUsable: windows.PAGE_READWRITE, pageReadOnly: windows.PAGE_READONLY, pageNoAccess: windows.PAGE_NOACCESS}[s]
	var old uint32
	return windows.VirtualProtect(at, pageSize, protect, &old)
}

// bytesAt is memory of this process that the collector does not know.
func bytesAt(at uintptr, n int) []byte { return unsafe.Slice((*byte)(pointer(at)), n) }

func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }
