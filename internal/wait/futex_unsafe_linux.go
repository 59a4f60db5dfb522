package wait

import (
	"math"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The operations of futex(2). Without FUTEX_PRIVATE_FLAG they reach every process that has the
// word mapped.
const (
	futexWaitBitset = 9
	futexWakeBitset = 10
)

// FutexWait sleeps while word holds seen, until [FutexWake] is called for one of the bits. It
// may return for no reason. The word may lie in memory that is mapped read-only. The goroutine
// keeps its thread meanwhile, and gives up its processor.
func FutexWait(word *atomic.Uint32, seen, bits uint32) {
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitBitset, uintptr(seen), 0, 0, uintptr(bits))
}

// FutexWake wakes all that sleep on word for one of the bits.
func FutexWake(word *atomic.Uint32, bits uint32) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakeBitset, math.MaxInt32, 0, 0, uintptr(bits))
}
