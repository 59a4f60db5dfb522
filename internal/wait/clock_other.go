//go:build !linux && !windows

package wait

import "time"

func now() time.Duration { return time.Since(epoch) }

func stamp() int64 { return time.Now().UnixNano() }

// monotonic is not known yet on this system, where there are no conns either.
func monotonic() int64 { return 0 }
