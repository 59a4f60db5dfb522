package wait

import (
	"math"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	now := time.Now()
	for _, d := range []time.Duration{0, 1, -1, time.Second, -time.Hour, 100 * 365 * 24 * time.Hour} {
		at := now.Add(d)
		if back := FromClock(ToClock(at)); !back.Equal(at) {
			t.Errorf("%v from now comes back as %v", d, back.Sub(now))
		}
		if got := ToClock(at) - ToClock(now); got != int64(d) {
			t.Errorf("%v from now is %d later", d, got)
		}
	}
}

// A time that the numbers do not reach must not come out as one that has passed,
// in whatever process.
func TestClockDoesNotOverflow(t *testing.T) {
	soon := ToClock(time.Now().Add(time.Hour))
	for _, far := range []time.Time{
		time.Now().Add(math.MaxInt64),
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
		time.Unix(1<<40, 0),
	} {
		n := ToClock(far)
		if n < soon {
			t.Errorf("%v becomes %d, which is before %d", far, n, soon)
		}
		for _, base := range []int64{0, 1, baseClock, math.MaxInt64 / 2} { // when other processes began
			if n-base < 0 {
				t.Errorf("%v has passed for a process that began at %d", far, base)
			}
		}
	}
	for _, past := range []time.Time{{}, time.Unix(0, 0), time.Now().Add(math.MinInt64)} {
		if n := ToClock(past); n > ToClock(time.Now()) {
			t.Errorf("%v becomes %d, which is to come", past, n)
		}
	}
}
