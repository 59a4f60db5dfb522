package proctest

import (
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Threads returns how many threads a process has.
func Threads(t testing.TB, pid int) (n int) {
	t.Helper()
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID == uint32(pid) {
			n++
		}
	}
	if n == 0 {
		t.Fatalf("process %d has no threads: %v", pid, err)
	}
	return n
}

// ProcessorTime returns how long a process has used a processor.
func ProcessorTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	var created, ended, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &ended, &kernel, &user); err != nil {
		t.Fatal(err)
	}
	used := func(f windows.Filetime) time.Duration { // in units of 100 ns, and not since 1601
		return 100 * time.Duration(uint64(f.HighDateTime)<<32|uint64(f.LowDateTime))
	}
	return used(kernel) + used(user)
}
