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
	for _, e := range handles(t) {
		if e.pid == uintptr(pid) {
			count++
		}
	}
	if count == 0 {
		t.Fatalf("process %d has no handles at all", pid)
	}
	return count
}

// A handleEntry is SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX.
type handleEntry struct {
	object, pid, handle uintptr
	access              uint32
	index, kind         uint16
	attributes, _       uint32
}

// handles is the system's table of handles, SYSTEM_HANDLE_INFORMATION_EX.
func handles(t testing.TB) []handleEntry {
	t.Helper()
	type table struct {
		number, _ uintptr
		first     handleEntry
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
		return unsafe.Slice(&all.first, all.number)
	}
}

const memoryInfoSize = unsafe.Sizeof(windows.MemoryBasicInformation{})

var ntQueryObject = windows.NewLazySystemDLL("ntdll.dll").NewProc("NtQueryObject")

// kinds returns the type of each handle of this process, as the system calls it.
func kinds(t testing.TB) (all []string) {
	t.Helper()
	const typeInformation = 2 // ObjectTypeInformation: OBJECT_TYPE_INFORMATION, which begins with the name
	pid := uintptr(windows.GetCurrentProcessId())
	buffer := make([]uintptr, 256)
	for _, e := range handles(t) {
		if e.pid != pid {
			continue
		}
		status, _, _ := ntQueryObject.Call(e.handle, typeInformation, uintptr(unsafe.Pointer(&buffer[0])),
			uintptr(len(buffer))*unsafe.Sizeof(buffer[0]), 0)
		if status == 0 { // else it is closed by now
			all = append(all, (*windows.NTUnicodeString)(unsafe.Pointer(&buffer[0])).String())
		}
	}
	return all
}
