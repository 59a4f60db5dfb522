//go:build amd64 || arm64

package wait

// pause executes n spin-wait hints (PAUSE, YIELD), n at least 1. Assembly
// cannot be preempted, which is why a burst is bounded by [maxBurst].
//
//go:noescape
func pause(n uint32)
