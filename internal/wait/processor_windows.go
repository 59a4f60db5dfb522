package wait

import "github.com/partywall/partywall/internal/winapi"

// processor returns the number of the processor that the caller runs on, counted from 1: of its
// group, of which machines with more than 64 processors have several.
func processor() uint32 { return winapi.GetCurrentProcessorNumber() + 1 }

// Yield lets another thread run on this processor, if one is ready to.
func Yield() { winapi.SwitchToThread() }
