package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// usageOf returns what a process has used: in this process exactly, of another
// one what /proc/PID/stat says, proc(5).
func usageOf(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The second field is the program's name in brackets, and may hold blanks.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const state = 3 // the number of the first field left
	for _, field := range []struct {
		number int
		to     *int64
	}{{14, &u.Ticks}, {15, &u.CPU}, {20, &u.Threads}} {
		if *field.to, err = strconv.ParseInt(fields[field.number-state], 10, 64); err != nil {
			return u, err
		}
	}
	u.Ticks += u.CPU // user and system time
	u.CPU = u.Ticks * 1e7
	if pid == os.Getpid() {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			return u, err
		}
		u.CPU = r.Utime.Nano() + r.Stime.Nano()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		u.Mallocs = m.Mallocs
	}
	return u, nil
}
