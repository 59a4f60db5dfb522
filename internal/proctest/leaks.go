package proctest

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Leaks compares what this process holds with what it held before.
type Leaks struct {
	t      testing.TB
	before holding
	ignore goleak.Option
}

// Watch notes what the process holds now: goroutines, and where the system tells,
// descriptors and mappings of shared memory.
func Watch(t testing.TB) *Leaks {
	t.Helper()
	return &Leaks{t: t, before: hold(t), ignore: goleak.IgnoreCurrent()}
}

// Check fails the test if something is left that was not there at Watch. It gives
// what is on its way out a moment.
func (l *Leaks) Check() {
	l.t.Helper()
	var left []string
	for deadline := time.Now().Add(Watchdog / 3); ; time.Sleep(5 * time.Millisecond) {
		left = hold(l.t).minus(l.before)
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, what := range left {
		l.t.Errorf("left behind: %s", what)
	}
	if err := goleak.Find(l.ignore); err != nil {
		l.t.Errorf("left behind: %v", err)
	}
}

// Held is what this process holds, by kind, as far as the system tells: without what the runtime
// has of its own.
func Held(t testing.TB) map[string]int {
	t.Helper()
	return hold(t).steady()
}
