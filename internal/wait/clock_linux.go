package wait

import (
	"time"

	"golang.org/x/sys/unix"
)

func now() time.Duration { return time.Since(epoch) }

// stamp is not monotonic's, which has to enter the kernel.
func stamp() int64 { return time.Now().UnixNano() }

func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0 // cannot happen: the clock is always there
	}
	return t.Nano()
}
