package doctor

import (
	"context"
	"math"
	"runtime"
)

func processors(context.Context) Finding {
	quota := math.Inf(1)
	if c, ok := findCgroup("/", "cpu"); ok {
		if q, limited := c.cpuQuota(); limited {
			quota = q
		}
	}
	return processorsWith(runtime.NumCPU(), runtime.GOMAXPROCS(0), quota)
}

// lendable is how many bytes of bodies one client may lend unless the service says otherwise.
const lendable = 256 << 20

func cgroupMemory(context.Context) Finding {
	c, ok := findCgroup("/", "memory")
	if !ok {
		return fine("none, or none that can be seen")
	}
	limit, left, limited := c.memory()
	if !limited {
		return fine("no limit")
	}
	return memoryLeft(limit, left)
}

// memoryLeft: shared memory counts for the group of whoever touches it first.
func memoryLeft(limit, left uint64) Finding {
	f := fine("%s of %s are left", size(left), size(limit))
	if left < lendable {
		f.Status = Warning
		f.Means = "Shared memory counts too: a client may lend " + size(lendable) + " of bodies, and above the limit the kernel kills a process."
		f.Advice = "Raise the limit (docker --memory, limits.memory of Kubernetes, MemoryMax= of systemd), or lower call.Quota."
	}
	return f
}
