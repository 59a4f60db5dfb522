package wait

import (
	"math/bits"
	"time"

	"github.com/partywall/partywall/internal/winapi"
)

func now() time.Duration { return time.Duration(monotonic()) }

func stamp() int64 { return monotonic() }

// monotonic is the performance counter in nanoseconds, which all processes read alike.
func monotonic() int64 {
	var count int64
	if err := winapi.QueryPerformanceCounter(&count); err != nil || count < 0 {
		return 0 // cannot happen: it has not failed since Windows XP
	}
	hi, lo := bits.Mul64(uint64(count), 1e9)
	ns, _ := bits.Div64(hi, lo, counterFrequency)
	return int64(ns)
}

// counterFrequency is how often the counter counts in a second. It is fixed when the system starts.
var counterFrequency = func() uint64 {
	var perSecond int64
	if err := winapi.QueryPerformanceFrequency(&perSecond); err != nil || perSecond <= 0 {
		return 1e9
	}
	return uint64(perSecond)
}()
