package doctor

import (
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The operations of futex(2), without FUTEX_PRIVATE_FLAG: private futexes do not
// cross address spaces.
const (
	opWait = 0
	opWake = 1
)

// futexWait sleeps while the first word of mem is value, until it is woken or
// the time is over (ETIMEDOUT).
func futexWait(mem []byte, value uint32, limit time.Duration) error {
	ts := unix.NsecToTimespec(limit.Nanoseconds())
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&mem[0])), opWait, uintptr(value),
		uintptr(unsafe.Pointer(&ts)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// futexWakeAll wakes who sleeps there, and returns how many did.
func futexWakeAll(mem []byte) int {
	n, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&mem[0])), opWake, math.MaxInt32, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}
