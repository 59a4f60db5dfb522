package wait

import (
	"sync/atomic"
	"testing"
	"time"
)

// A sleeper on two words is woken by either, and not put to sleep by a word that has changed.
func TestFutexWaitEither(t *testing.T) {
	var word, own atomic.Uint32
	if FutexWaitEither(&word, 1, &own, 0); !CanWaitEither() {
		t.Skip("this kernel has no futex_waitv")
	}
	FutexWaitEither(&word, 0, &own, 1)
	for what, wake := range map[string]func(){
		"word": func() { word.Add(1); FutexWake(&word, 1) },
		"own":  func() { own.Add(1); FutexWakeOwn(&own) },
	} {
		seen, ownSeen := word.Load(), own.Load()
		woken := make(chan struct{})
		go func() {
			defer close(woken)
			for word.Load() == seen && own.Load() == ownSeen {
				FutexWaitEither(&word, seen, &own, ownSeen)
			}
		}()
		time.Sleep(time.Millisecond) // it may be asleep
		wake()
		select {
		case <-woken:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s does not wake", what)
		}
	}
}
