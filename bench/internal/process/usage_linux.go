package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func (u *Usage) ask() error {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return err
	}
	u.CPU = r.Utime.Nano() + r.Stime.Nano()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	fields := strings.Fields(string(statm)) // proc(5): total and resident pages, ...
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	u.RSS = pages * int64(os.Getpagesize())
	return err
}

// Look looks at another process.
func Look(pid int) (o Outside, err error) {
	// The processor-time clock of a process, as clock_getcpuclockid(3) has it.
	const scheduled = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^uint32(pid)<<3|scheduled), &t); err != nil {
		return o, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	o.CPU = t.Nano()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return o, err
	}
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		for line := range strings.Lines(string(status)) {
			if _, count, ok := strings.Cut(line, "voluntary_ctxt_switches:"); ok { // nonvoluntary_ too
				n, err := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
				if err != nil {
					return o, fmt.Errorf("%s: %w", path, err)
				}
				o.Switches += n
			}
		}
	}
	return o, nil
}
