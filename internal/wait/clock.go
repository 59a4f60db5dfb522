package wait

import (
	"math"
	"time"
)

// Now reads a clock that goes on steadily, in nanoseconds: only the difference between two readings of one process means
// something. It is fine enough to time a call, as Go's own is not on Windows: that moves in steps of 0.5 to 15.6 ms.
func Now() time.Duration { return now() }

// Stamp reads a clock that all processes of the machine read alike, as fine as [Now], in nanoseconds.
func Stamp() int64 { return stamp() }

// Deadlines cross processes as nanoseconds of a clock that both read alike. The
// monotonic clock of Go's time package is such a clock, but hides its origin; it
// is found once, by reading both.
var baseTime, baseClock = readBoth()

// readBoth reads the two clocks as near to one another as a few tries allow:
// between the readings another process may have run.
func readBoth() (t time.Time, clock int64) {
	best := int64(math.MaxInt64)
	for range 10 {
		before := monotonic()
		now := time.Now()
		if gap := monotonic() - before; gap < best {
			t, clock, best = now, before+gap/2, gap
		}
	}
	return t, clock
}

// ToClock converts a time to the clock that processes share, in nanoseconds,
// without reading a clock. A time that is further away than the numbers reach,
// 292 years, becomes the furthest that every process can convert back.
func ToClock(t time.Time) int64 {
	d := int64(t.Sub(baseTime)) // as near to t as a Duration can be
	if d > math.MaxInt64-baseClock {
		return math.MaxInt64
	}
	return baseClock + d
}

// FromClock is the inverse of ToClock.
func FromClock(n int64) time.Time { return baseTime.Add(time.Duration(n - baseClock)) }
