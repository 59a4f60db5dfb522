package wait

import "time"

// Deadlines cross processes as nanoseconds of a clock that both read alike. The
// monotonic clock of Go's time package is such a clock, but hides its origin; it
// is found once, by reading both.
var (
	baseTime  = time.Now()
	baseClock = monotonic()
)

// ToClock converts a time to the clock that processes share, in nanoseconds,
// without reading a clock.
func ToClock(t time.Time) int64 { return baseClock + int64(t.Sub(baseTime)) }

// FromClock is the inverse of ToClock.
func FromClock(n int64) time.Time { return baseTime.Add(time.Duration(n - baseClock)) }
