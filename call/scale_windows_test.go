package call_test

import (
	"testing"
	"time"
)

// A thread waits for 63 handles, and a conn has two on either side: an event and the peer's process.
const (
	manyConns   = 400                       // that are idle
	mostThreads = 2*manyConns/63 + 1 + 2*32 // that each process may have
	idleCost    = 20 * time.Millisecond     // of processor time, for all of them: a tick or two of Windows' clock
	mostSlowed  = 10.0                      // a hot conn beside them, a factor

	// Under Wine, a conn takes a hundred times as long to make as on Linux.
	scaleWindow = 2 * time.Second
	scaleRounds = 1
	scaleCrowds = 2
	hotFor      = 200 * time.Millisecond
	hotBatch    = 10
	hotTries    = 5
)

// needDescriptors has nothing to ask for: a process may have millions of handles.
func needDescriptors(*testing.T, uint64) {}
