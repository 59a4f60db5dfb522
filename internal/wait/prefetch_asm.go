//go:build amd64 || arm64

package wait

import "sync/atomic"

// FetchToRead asks the processor to fetch a word's cache line, which the caller is
// about to read, and does not wait for it.
//
//go:noescape
func FetchToRead(word *atomic.Uint32)

// FetchPairToRead is FetchToRead for a word's cache line and the one behind it.
//
//go:noescape
func FetchPairToRead(word *atomic.Uint32)

// FetchToWrite is FetchToRead for a line that the caller is about to write: the peer's
// processor loses it.
//
//go:noescape
func FetchToWrite(word *atomic.Uint32)
