package call_test

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

const (
	manyConns   = 1000 // that are idle
	mostThreads = 32   // that each process may have
	idleCost    = 0    // of processor time, for all of them
	mostSlowed  = 2.0  // a hot conn beside them, a factor

	scaleWindow = 10 * time.Second
	scaleRounds = 5
	scaleCrowds = 10
	hotFor      = 200 * time.Millisecond
	hotBatch    = 100
	hotTries    = 1
)

// needDescriptors makes sure that this process, and so its children, may have n
// descriptors.
func needDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur >= n {
		return
	}
	before := limit
	limit.Cur, limit.Max = n, max(limit.Max, n)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skipf("RLIMIT_NOFILE is %d, and cannot be %d: %v", before.Cur, n, err)
	}
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before) })
}

// What TestScaleIdleConns measures does see conns that cost something: if they are not idle, and be they few, their
// neighbour is slowed by more than that test allows. The bound under Wine is too wide for this.
func TestScaleSeesBusyConns(t *testing.T) {
	startScale(t)
	hot, err := call.Dial(t.Context(), scaleName)
	if err != nil {
		t.Fatal(err)
	}
	defer hot.Close()
	alone := hotTime(t, hot, hotFor)
	var askers []*proctest.Process
	for range runtime.NumCPU() + 1 { // with the server more than there are processors
		p := proctest.Start(t, "scale idler")
		p.Say("open %d", 8)
		p.Expect("opened")
		p.Say("busy")
		p.Expect("asking")
		askers = append(askers, p)
	}
	beside := hotTime(t, hot, 10*hotFor) // the processors change hands some times a second
	slowed := float64(beside) / float64(alone)
	say(t, "scale: a call of a hot conn takes %v alone, %v beside %d busy ones: ratio %.2f", alone, beside, 8*len(askers), slowed)
	if slowed <= mostSlowed {
		t.Errorf("busy conns slow a hot one down by a factor of %.2f only, where %.0f would be let pass", slowed, mostSlowed)
	}
	for _, p := range askers {
		p.Say("close")
		p.Expect("closed")
	}
}
