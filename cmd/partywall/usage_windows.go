package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// queryLimited is PROCESS_QUERY_LIMITED_INFORMATION.
const queryLimited = 0x1000

// tick is what the kernel's time slices are counted in, as on Linux.
const tick = 10 * time.Millisecond

// usageOf returns what a process has used: GetProcessTimes. Its threads are not counted here, and
// are 0.
func usageOf(pid int) (u usage, err error) {
	process, err := syscall.OpenProcess(queryLimited, false, uint32(pid))
	if err != nil {
		return u, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer syscall.CloseHandle(process)
	var begun, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &begun, &ended, &kernel, &user); err != nil {
		return u, fmt.Errorf("ask for the times of process %d: %w", pid, err)
	}
	u.CPU = spent(kernel) + spent(user)
	u.Ticks = u.CPU / int64(tick)
	if pid == os.Getpid() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		u.Mallocs = m.Mallocs
	}
	return u, nil
}

// spent is a duration, which a FILETIME gives in units of 100 ns, in nanoseconds.
func spent(t syscall.Filetime) int64 {
	return (int64(t.HighDateTime)<<32 | int64(t.LowDateTime)) * 100
}
