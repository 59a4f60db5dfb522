package proctest

import (
	"maps"
	"testing"

	"golang.org/x/sys/windows"
)

// holding counts what a process holds, by what the system calls it: handles by their type, and views
// of mapped memory.
type holding map[string]int

// Threads come and go as Go's runtime likes, with events and timers of their own, which nothing tells
// from others. So events count only where they are more than the threads explain, and these do not count.
const (
	anEvent = "handle of Event"
	aThread = "handle of Thread"
	// ofThread is how many events the runtime makes for a thread at most, and slack what it may
	// owe older ones.
	ofThread = 2
	slack    = 8
)

// Of what has no name as a type, Wine does not say what it is.
var ofTheRuntime = []string{"handle of Timer", "handle of IoCompletion", "handle of WaitCompletionPacket", "handle of "}

func hold(t testing.TB) holding {
	t.Helper()
	h := holding{}
	for _, kind := range kinds(t) {
		h["handle of "+kind]++
	}
	for _, kind := range ofTheRuntime {
		delete(h, kind)
	}
	if n := views(t); n > 0 {
		h["view of memory"] = n
	}
	return h
}

// views counts the mapped views of this process that are no program's image.
func views(t testing.TB) (n int) {
	t.Helper()
	const mapped = 0x40000 // MEM_MAPPED
	var before uintptr
	for at := uintptr(0); ; {
		var info windows.MemoryBasicInformation
		if windows.VirtualQuery(at, &info, memoryInfoSize) != nil {
			return n
		}
		if info.Type == mapped && info.AllocationBase != before {
			before = info.AllocationBase
			n++
		}
		at = info.BaseAddress + info.RegionSize
	}
}

// minus lists what h has more of than before.
func (h holding) minus(before holding) (more []string) {
	for what, n := range h {
		grown := n - before[what]
		switch what {
		case aThread:
			grown = 0
		case anEvent:
			grown -= ofThread*max(h[aThread]-before[aThread], 0) + slack
		}
		for range grown {
			more = append(more, what)
		}
	}
	return more
}

// steady is h without what the runtime has a share in.
func (h holding) steady() map[string]int {
	s := maps.Clone(h)
	delete(s, aThread)
	delete(s, anEvent)
	return s
}
