package wait

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The clock is the kernel's, so that every process reads the same.
func TestClockIsTheKernels(t *testing.T) {
	read := func() int64 {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			t.Fatal(err)
		}
		return ts.Nano()
	}
	before := read()
	n := ToClock(time.Now())
	after := read()
	// The origin was found by two readings in a row, between which a process can
	// lose its processor for a while.
	const slack = int64(100 * time.Millisecond)
	if n < before-slack || n > after+slack {
		t.Errorf("ToClock says %d, the kernel %d to %d", n, before, after)
	}
}
