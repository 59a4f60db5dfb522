package wait

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// processor returns the number of the processor that this thread runs on,
// counted from 1 (getcpu(2)).
func processor() uint32 {
	var cpu uint32
	if _, _, err := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0); err != 0 {
		return 0
	}
	return cpu + 1
}

// Yield lets another thread on this processor run, if one wants to
// (sched_yield(2)). It keeps the scheduler's P, as any preemption does.
func Yield() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
