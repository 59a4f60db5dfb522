package backing

import (
	"math"
	"os"
	"sync/atomic"

	"github.com/partywall/partywall/internal/wait"
)

// A sleeper sleeps on bells. On Linux the bell itself is the futex: nothing is needed beside.
type sleeper struct{}

func newSleeper(string) *sleeper { return nil }

func fileSleeper(*os.File) (*sleeper, error) { return nil, nil }

// group is the bit of those numbers that are woken together when one is woken alone.
func group(number int) uint32 { return 1 << (number % 32) }

func (*sleeper) sleep(bell *atomic.Uint32, seen uint32, number int) {
	wait.FutexWait(bell, seen, group(number))
}

func (*sleeper) wake(bell *atomic.Uint32, _ func(int) bool, _ int) {
	wait.FutexWake(bell, math.MaxUint32)
}

func (*sleeper) wakeOwn(bell *atomic.Uint32, number int) { wait.FutexWake(bell, group(number)) }

func (*sleeper) close() {}
