//go:build !amd64 && !arm64

package wait

import "sync/atomic"

var fence atomic.Uint32

// LoadFence keeps loads before it from being done after loads behind it. A read-modify-write is one.
func LoadFence() { fence.Add(0) }
