package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// pause sleeps in the system call: Go's timers wake an idle process by steps of a millisecond, which would make
// bursts of ten out of 10,000 calls per second.
func pause(d time.Duration) {
	for end := time.Now().Add(d); d > 0; d = time.Until(end) {
		t := unix.NsecToTimespec(d.Nanoseconds())
		_ = unix.Nanosleep(&t, nil) // a signal may end it early
	}
}
