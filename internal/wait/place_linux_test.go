package wait

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pin keeps the calling goroutine on one of the processors that this process may
// use, and returns its number.
func pin(t *testing.T) uint32 {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	for cpu := range 1024 {
		if all.IsSet(cpu) {
			one.Set(cpu)
			if err := unix.SchedSetaffinity(0, &one); err != nil {
				t.Fatal(err)
			}
			return uint32(cpu)
		}
	}
	t.Fatal("this process may use no processor")
	return 0
}

func TestPlace(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		here := pin(t) + 1
		for _, theirs := range []uint32{0, here, here + 1, 1<<32 - 1, here} {
			var mine, other atomic.Uint32
			var p Place
			p.Init(&mine, &other, time.Hour)
			other.Store(theirs)
			p.Look()
			if got := mine.Load(); got != here {
				t.Errorf("published processor %d, want %d", got, here)
			}
			if got, want := p.crowded.Load(), theirs == here; got != want {
				t.Errorf("peer on %d, this side on %d: crowded is %v, want %v", theirs, here, got, want)
			}
			if p.leave() {
				t.Error("left before an hour was over")
			}
		}
	}()
	<-done
}

func TestPlacePatience(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		here := pin(t) + 1
		for _, patience := range []time.Duration{0, time.Nanosecond} {
			var mine, theirs atomic.Uint32
			var p Place
			p.Init(&mine, &theirs, patience)
			theirs.Store(here)
			turn := Turn{Place: &p}
			turn.Extend()
			looks := 0
			for turn.Next() {
				looks++
			}
			turn.End()
			if permits > 0 && patience > 0 && looks > freeTurns {
				t.Errorf("looked %d times with the peer on the same processor and no patience left", looks)
			}
			if turn.Place != &p {
				t.Error("End forgot the place")
			}
		}
	}()
	<-done
}
