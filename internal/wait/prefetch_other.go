//go:build !amd64 && !arm64

package wait

import "sync/atomic"

// FetchToRead does nothing where there is no assembly for it.
func FetchToRead(*atomic.Uint32) {}

// FetchPairToRead does nothing where there is no assembly for it.
func FetchPairToRead(*atomic.Uint32) {}

// FetchToWrite does nothing where there is no assembly for it.
func FetchToWrite(*atomic.Uint32) {}
