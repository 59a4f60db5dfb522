package call_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
)

// lateM waits for its context's end, and returns what that says, wrapped.
var lateM = call.NewMethod[struct{}, struct{}]("late")

// Whether the caller's timer or the handler's answer is first, a deadline that has passed is
// the same error.
func TestDeadlineIsTheHandlersError(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial(call.Expect(lateM))
		for i := range 200 {
			ctx, cancel := within(time.Duration(100+10*i) * time.Microsecond)
			_, err := lateM.Call(ctx, c, struct{}{})
			cancel()
			wantErr(t, err, context.DeadlineExceeded)
		}
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}

// Callers that give up at any instant, plain ones beside leases, on too few slots for all of
// them: no slot is lost, none is used by two.
func TestCrowdGivesUp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	eachWay(t, config{Slots: 64}, func(t *testing.T, f *fixture) {
		c := f.dial(call.Expect(placeM, addM))
		var crowd sync.WaitGroup
		end := time.Now().Add(2 * time.Second)
		for g := range 200 {
			crowd.Go(func() {
				random := rand.New(rand.NewPCG(uint64(g), 1))
				for time.Now().Before(end) && !t.Failed() {
					ctx, cancel := within(time.Duration(random.IntN(500)) * time.Microsecond)
					err := giveUp(ctx, c, g, random)
					cancel()
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("caller %d: %v", g, err)
					}
				}
			})
		}
		crowd.Wait()
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 64 })
		hammer(t, c, 4, 50)
	})
}

// giveUp does a call, or two in a lease.
func giveUp(ctx context.Context, c *call.Conn, g int, random *rand.Rand) error {
	if g%2 == 0 {
		sum, err := addM.Call(ctx, c, [2]int64{int64(g), 1})
		if err == nil && sum.N != int64(g)+1 {
			return errors.New("another's sum has come")
		}
		return err
	}
	return placeM.Lease(ctx, c, 256, func(l *call.Lease[placeArg, placeResult]) error {
		l.Arg.Add = 1
		for range 2 {
			if random.IntN(2) == 0 {
				runtime.Gosched()
			}
			fill(l.Body, byte(g))
			sent := sumOf(l.Body)
			if err := l.Do(ctx); err != nil {
				return err
			}
			if l.Result.Sum != sent {
				return errors.New("another's body has come")
			}
		}
		return nil
	})
}
