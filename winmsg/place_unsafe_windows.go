package winmsg

import (
	"errors"
	"fmt"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/winapi"
)

// HandleInPlace is [Handle] without copies: h works on the sender's block where it lies.
//
// The block has to be committed, private memory that can be read and written, all of it,
// and T's alignment has to be its address's; else the answer is -1. A sender that frees the
// block while h runs has h panic, which answers -1 as well; and one that writes to it
// changes what h sees from one moment to the next. Where senders are not trusted, use
// Handle. T has no bools: HandleInPlace panics if it has.
func HandleInPlace[T any](w *OwnWindow, msg Message, h func(arg *T) uintptr) {
	layout := layoutOf[T]("HandleInPlace")
	for _, field := range layout.Schema().Fields {
		if field.Kind == fixed.Bool {
			panic(fmt.Sprintf("winmsg.HandleInPlace: %v has a bool, which a sender can make neither true nor false; use a uint8", layout))
		}
	}
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
		var m winapi.MemoryBasicInformation
		if _, err := winapi.VirtualQueryEx(windows.CurrentProcess(), at, &m, unsafe.Sizeof(m)); err != nil {
			return fmt.Errorf("address %#x: %w: %w", at, errNotPlain, err)
		}
		ours := m.Protect == windows.PAGE_READWRITE || m.Protect == windows.PAGE_EXECUTE_READWRITE // as some senders ask for
		if m.State != windows.MEM_COMMIT || m.Type != winapi.MEM_PRIVATE || !ours {
			return fmt.Errorf("address %#x: %w", at, errNotPlain)
		}
		at = m.BaseAddress + m.RegionSize
	}
	return nil
}
