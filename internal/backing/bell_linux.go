package backing

import (
	"math"
	"os"
	"sync/atomic"

	"github.com/partywall/partywall/internal/wait"
)

// A sleeper sleeps on bells. On Linux the bell itself is the futex, and beside it a word of this
// process's, by which a sleeper is woken alone: that works also if somebody has cut the bell's file
// short, so that no wake of the bell reaches anybody any more.
type sleeper struct{ own atomic.Uint32 }

func newSleeper(string) *sleeper { return &sleeper{} }

func fileSleeper(*os.File) (*sleeper, error) { return &sleeper{}, nil }

// group is the bit of those numbers that are woken together where the kernel cannot wake one alone.
func group(number int) uint32 { return 1 << (number % 32) }

func (s *sleeper) sleep(bell *atomic.Uint32, seen uint32, number int) {
	if !wait.FutexWaitEither(bell, seen, &s.own, s.own.Load()) {
		wait.FutexWait(bell, seen, group(number))
	}
}

func (*sleeper) wake(bell *atomic.Uint32, _ func(int) bool, _ int) {
	wait.FutexWake(bell, math.MaxUint32)
}

// wakeOwn is called again and again until the sleeper has noticed: who was not asleep yet is not woken.
func (s *sleeper) wakeOwn(bell *atomic.Uint32, number int) {
	s.own.Add(1)
	wait.FutexWakeOwn(&s.own)
	if !wait.CanWaitEither() {
		wait.FutexWake(bell, group(number))
	}
}

func (*sleeper) close() {}
