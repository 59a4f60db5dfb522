package instance_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

// First instances that come and close in order, while others hand over: each launch is done exactly once, by
// whoever was given it or by its own sender.
func TestChurn(t *testing.T) {
	prepare(t)
	const workers = 8
	starts, longest := 40, 10*time.Millisecond
	if testing.Short() || raceEnabled {
		starts = 15
	}
	if runtime.GOOS == "windows" {
		starts, longest = 10, 300*time.Millisecond // Wine's dials are slower
	}
	random := seed(t)
	var mu sync.Mutex
	done := map[string]int{}
	firsts := 0
	do := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		done[id]++
	}
	ctx := within(t, proctest.Watchdog)
	var working sync.WaitGroup
	for w := range workers {
		r := rand.New(rand.NewPCG(random.Uint64(), 2))
		working.Go(func() {
			for n := range starts {
				id := fmt.Sprintf("%d.%d", w, n)
				i, err := instance.Acquire(ctx, "churn", instance.Args(id))
				if errors.Is(err, partywall.ErrRunning) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				do(id)
				mu.Lock()
				firsts++
				mu.Unlock()
				short, cancel := context.WithTimeout(ctx, time.Duration(r.Int64N(int64(longest))))
				for l, err := range i.Launches(short) {
					if err == nil {
						do(l.Args[0])
					}
				}
				cancel()
				i.Close()
			}
		})
	}
	working.Wait()
	for w := range workers {
		for n := range starts {
			if id := fmt.Sprintf("%d.%d", w, n); done[id] != 1 {
				t.Errorf("launch %s is done %d times", id, done[id])
			}
		}
	}
	t.Logf("%d launches, %d firsts", workers*starts, firsts)
}
