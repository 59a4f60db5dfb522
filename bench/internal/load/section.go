package load

import (
	"errors"
	"time"

	"github.com/partywall/partywall/bench/internal/stats"
	"github.com/partywall/partywall/section"
)

// SectionTimes are how long the operations of a section take, in nanoseconds.
type SectionTimes struct {
	Load  float64 `json:"load"`
	Store float64 `json:"store"`
}

// words are 64 bytes.
type words struct{ Words [8]uint64 }

// batch is how many operations are timed together, being shorter than a look at the clock.
const batch = 1000

// Section measures a section that nobody else has open, for d: the medians over batches.
func Section(dir string, d time.Duration) (t SectionTimes, err error) {
	s, err := section.Open[words]("bench/value", section.Dir(dir))
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	v := words{[8]uint64{1, 2, 3, 4, 5, 6, 7, 8}}
	t.Store, err = batches(d/2, func() error {
		for range batch {
			if err := s.Store(v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	t.Load, err = batches(d/2, func() error {
		var got words
		for range batch {
			var err error
			if got, err = s.Load(); err != nil {
				return err
			}
		}
		if got != v {
			return errors.New("a load has returned another value")
		}
		return nil
	})
	return t, err
}

// batches has do make batches of operations for d, and returns the median of what one of them took.
func batches(d time.Duration, do func() error) (float64, error) {
	var times []float64
	for start := time.Now(); len(times) == 0 || time.Since(start) < d; {
		before := time.Since(start)
		if err := do(); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(start)-before)/batch)
	}
	return stats.Median(times), nil
}
