package proctest

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Handles counts the handles that a process holds. It asks for the system's whole table, as
// Wine answers 0 to who asks for one process's number.
func Handles(t testing.TB, pid int) (count int) {
	t.Helper()
	// SYSTEM_HANDLE_INFORMATION_EX and SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX.
	type entry struct {
		object, pid, handle uintptr
		access              uint32
		index, kind         uint16
		attributes, _       uint32
	}
	type table struct {
		number, _ uintptr
		first     entry
	}
	for buffer := make([]uintptr, 1<<14); ; buffer = make([]uintptr, 2*len(buffer)) {
		err := windows.NtQuerySystemInformation(windows.SystemExtendedHandleInformation,
			unsafe.Pointer(&buffer[0]), uint32(len(buffer))*uint32(unsafe.Sizeof(buffer[0])), nil)
		if err == windows.STATUS_INFO_LENGTH_MISMATCH {
			continue
		}
		if err != nil {
			t.Fatalf("the table of handles: %v", err)
		}
		all := (*table)(unsafe.Pointer(&buffer[0]))
		for _, e := range unsafe.Slice(&all.first, all.number) {
			if e.pid == uintptr(pid) {
				count++
			}
		}
		if count == 0 {
			t.Fatalf("process %d has no handles at all", pid)
		}
		return count
	}
}
