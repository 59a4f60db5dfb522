//go:build !amd64 && !arm64

package wait

import "runtime"

// pause stands in for the processor's hint where there is no assembly for it.
func pause(uint32) { runtime.Gosched() }
