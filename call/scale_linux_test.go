package call_test

import (
	"syscall"
	"testing"
	"time"
)

const (
	manyConns   = 1000 // that are idle
	mostThreads = 32   // that each process may have
	idleCost    = 0    // of processor time, for all of them
	mostSlowed  = 3.0  // a hot conn beside them, a factor

	scaleWindow = 10 * time.Second
	scaleRounds = 5
	scaleCrowds = 10
	hotCalls    = 20_000
	hotBatch    = 1
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
