//go:build !linux && !windows

package wait

import "runtime"

// processor is not known on this system.
func processor() uint32 { return 0 }

// Yield lets others run.
func Yield() { runtime.Gosched() }
