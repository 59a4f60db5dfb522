package wait

import "sync/atomic"

// Announce stores v in a word of shared memory before anything behind it is loaded: what two sides rely on that each
// store a word of their own and then look at the other's, so that one of them at least sees
// the other's store. A Store would do, being sequentially consistent; but not in a program that is built with
// the race detector, which makes it a store with release order for memory that is not Go's (LLVM's
// tsan_interface_atomic.cpp, __tsan_go_atomic32_store, under ignore_sync; runtime/race_amd64.s). There a processor may
// load first, and a wake-up was lost. A Swap is ordered in both, and costs the same on amd64.
func Announce(word *atomic.Uint32, v uint32) { word.Swap(v) }

// Announce64 is Announce for a word of 64 bits.
func Announce64(word *atomic.Uint64, v uint64) { word.Swap(v) }
