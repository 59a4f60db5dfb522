package wait

import (
	"math/rand/v2"
	"testing"
	"time"
)

// spun plays a worker whose requests come after the gaps that next says, and returns the share of the time
// that it spins, and the share of the requests that a spin sees.
func spun(n int, next func() time.Duration) (spinning, seen float64) {
	var p Predictor
	var all, spins time.Duration
	hits := 0
	for range n {
		gap := next()
		all += gap
		switch budget := max(wakeCost, p.Worth()); {
		case !p.Spin():
			p.Idled(gap)
		case gap <= budget:
			spins += gap
			p.Hit(gap)
			hits++
		default:
			spins += budget
			p.Miss()
		}
	}
	return spins.Seconds() / all.Seconds(), float64(hits) / float64(n)
}

// Work at a steady pace of up to a few wakes' cost is waited for with spins, and slower work is not. Work that
// comes at random is not worth much spinning if it comes less often than that.
func TestPace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	steady := func(gap time.Duration) func() time.Duration {
		return func() time.Duration { return gap - gap/20 + time.Duration(r.Int64N(int64(gap/10)+1)) }
	}
	random := func(gap time.Duration) func() time.Duration {
		return func() time.Duration { return time.Duration(r.ExpFloat64() * float64(gap)) }
	}
	for _, test := range []struct {
		what                                   string
		next                                   func() time.Duration
		spinningLeast, spinningMost, seenLeast float64
	}{
		{"steady, half a wake", steady(wakeCost / 2), 0.99, 1, 0.99},
		{"steady, two wakes", steady(2 * wakeCost), 0.9, 1, 0.98},
		{"steady, three wakes", steady(3 * wakeCost), 0.9, 1, 0.98},
		{"steady, twenty wakes", steady(20 * wakeCost), 0, 0.01, 0},
		{"random, two wakes", random(2 * wakeCost), 0, 1, 0.5},
		{"random, seven wakes", random(7 * wakeCost), 0, 0.2, 0},
		{"random, twenty wakes", random(20 * wakeCost), 0, 0.03, 0},
	} {
		spinning, seen := spun(20_000, test.next)
		t.Logf("%s: spins %.1f %% of the time, sees %.1f %%", test.what, 100*spinning, 100*seen)
		if spinning < test.spinningLeast || spinning > test.spinningMost || seen < test.seenLeast {
			t.Errorf("%s: not as expected", test.what)
		}
	}
}
