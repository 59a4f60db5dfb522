package process

import (
	"runtime"
	"runtime/debug"
)

// A Usage is what a process has used up to now. What this system does not tell is zero.
type Usage struct {
	CPU     int64  `json:"cpu_ns"`
	Mallocs uint64 `json:"mallocs"`
	RSS     int64  `json:"rss"` // bytes resident now, shared memory that it has touched among them
}

// Self returns this process's usage.
func Self() (Usage, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := Usage{Mallocs: m.Mallocs}
	return u, u.ask()
}

// Tidy gives unused memory back to the system, and returns the usage then.
func Tidy() (Usage, error) {
	debug.FreeOSMemory()
	return Self()
}

// An Outside is what can be seen of a process without disturbing it.
type Outside struct {
	CPU      int64 // nanoseconds
	Switches int64 // context switches of its threads, voluntary and not
}
