package doctor

import (
	"fmt"
	"math"
)

// processorsWith judges as internal/wait does: all processors but one may spin,
// and none if there is only one.
func processorsWith(cpus, maxProcs int, quota float64) Finding {
	f := fine("this process may run on %d, and spin on %d of them", cpus, max(0, min(cpus, maxProcs)-1))
	if maxProcs != cpus {
		f.Seen += fmt.Sprintf("; GOMAXPROCS is %d", maxProcs)
	}
	if !math.IsInf(quota, 1) {
		f.Seen += fmt.Sprintf("; its cgroup's quota is %.4g", quota)
	}
	switch {
	case cpus == 1:
		f.Status = Warning
		f.Means = "Spinning is off: each call sleeps and is woken, which takes tens of microseconds instead of one."
		f.Advice = "If calls have to be fast, let both sides run on two processors or more: taskset, cpuset, a larger machine."
	case maxProcs == 1:
		f.Status = Warning
		f.Means = "Spinning is off: each call sleeps and is woken, which takes tens of microseconds instead of one."
		f.Advice = "If calls have to be fast, unset GOMAXPROCS, or set it to 2 or more."
	case quota < 2:
		f.Status = Warning
		f.Means = "What a side spins counts against the quota; once it is used up, the kernel stops the processes for up to 100 ms."
		f.Advice = "Raise the quota to 2 or more (docker --cpus, limits.cpu of Kubernetes, CPUQuota= of systemd), or set GOMAXPROCS=1, so that nobody spins."
	}
	return f
}
