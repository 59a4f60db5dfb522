package winmsg

import (
	"errors"
	"fmt"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/windows"
)

// HandleInPlace is [Handle] without copies: h works on the sender's block where it lies.
//
// The block has to be committed, private memory that can be read and written, all of it,
// and T's alignment has to be its address's; else the answer is -1. A sender that frees the
// block while h runs has h panic, which answers -1 as well; and one that writes to it
// changes what h sees from one moment to the next. Where senders are not trusted, use
// Handle.
func HandleInPlace[T any](w *OwnWindow, msg Message, h func(arg *T) uintptr) {
	layout := layoutOf[T]("HandleInPlace")
	w.HandleMessage(msg, func(size, address uintptr) uintptr {
		if size < uintptr(layout.Size()) || address%uintptr(layout.Align()) != 0 {
			return Refused
		}
		if err := w.check(msg, address, uintptr(layout.Size())); err != nil {
			return Refused
		}
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		return h((*T)(pointer(address)))
	})
}

// pointer makes a pointer of an address that no Go object has: what lies there was allocated by
// VirtualAllocEx. The detour by a pointer's own address is for go vet, which takes the direct
// way for a mistake.
func pointer(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// errNotPlain: the memory is not such as a sender owns.
var errNotPlain = errors.New("not committed, private memory that can be read and written")

// plain checks all of the memory: VirtualQuery, range by range.
func plain(address, size uintptr) error {
	end := address + size
	if end < address {
		return fmt.Errorf("address %#x: %w", address, errNotPlain)
	}
	for at := address; at < end; {
		var m windows.MemoryBasicInformation
		if err := windows.VirtualQuery(at, &m, unsafe.Sizeof(m)); err != nil {
			return fmt.Errorf("address %#x: %w: %w", at, errNotPlain, err)
		}
		const private = 0x20000 // MEM_PRIVATE
		if m.State != windows.MEM_COMMIT || m.Type != private || m.Protect != windows.PAGE_READWRITE {
			return fmt.Errorf("address %#x: %w", at, errNotPlain)
		}
		at = m.BaseAddress + m.RegionSize
	}
	return nil
}
