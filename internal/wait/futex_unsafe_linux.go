package wait

import (
	"math"
	"runtime"
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

// One of the words that futex_waitv(2) sleeps on:
//
//	struct futex_waitv {
//		__u64 val;
//		__u64 uaddr;
//		__u32 flags;
//		__u32 __reserved;
//	};
type futexWaiter struct {
	seen    uint64
	address uint64
	flags   uint32
	_       uint32
}

const (
	sysFutexWaitv  = 449 // on every processor
	futexSizeU32   = 2   // FUTEX2_SIZE_U32
	futexIsPrivate = 128 // FUTEX2_PRIVATE, and FUTEX_PRIVATE_FLAG
)

// without remembers that the kernel has no futex_waitv: Linux has it since 5.16.
var without atomic.Bool

// FutexWaitEither sleeps while word holds seen and own, which is this process's alone and no other's, holds
// ownSeen. The one is woken by [FutexWake], the other by [FutexWakeOwn]: also if the memory that word lies in is not
// there any more, where no wake reaches. It may return for no reason. It reports whether the kernel can do that; if not, it has not
// slept.
func FutexWaitEither(word *atomic.Uint32, seen uint32, own *atomic.Uint32, ownSeen uint32) bool {
	if without.Load() {
		return false
	}
	waiters := [2]futexWaiter{
		{seen: uint64(seen), address: uint64(uintptr(unsafe.Pointer(word))), flags: futexSizeU32},
		{seen: uint64(ownSeen), address: uint64(uintptr(unsafe.Pointer(own))), flags: futexSizeU32 | futexIsPrivate},
	}
	_, _, err := unix.Syscall6(sysFutexWaitv, uintptr(unsafe.Pointer(&waiters)), 2, 0, 0, 0, 0)
	runtime.KeepAlive(own)
	switch err {
	case 0, unix.EAGAIN, unix.EINTR, unix.EFAULT:
		return true
	}
	// The kernel does not know it, or a sandbox does not allow it.
	without.Store(true)
	return false
}

// FutexWakeOwn wakes all that sleep in FutexWaitEither for own.
func FutexWakeOwn(own *atomic.Uint32) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(own)), futexWakeBitset|futexIsPrivate, math.MaxInt32, 0, 0, math.MaxUint32)
}

// CanWaitEither reports whether [FutexWaitEither] has not found out yet that the kernel cannot.
func CanWaitEither() bool { return !without.Load() }
