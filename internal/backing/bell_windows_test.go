package backing

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/proctest"
)

// What a backing holds for its bell, it gives back.
func TestBellsDoNotLeak(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		p := g.start(t)
		expect(t, "claim", ask(p, "claim 0"), "true")
		ask(p, "follow 2")
		ask(p, "unlock")
		cycle := func() {
			b, done, err := g.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			if ok, err := b.Claim(1); !ok {
				t.Fatal(err)
			}
			b.Unlock()
			awake := sleepOnce(b, 1, 3)
			step := ring(b)
			within(t, "no wake", func() bool { return awake.Load() == 3 })
			for bell := uint32(0); bell != step; {
				bell = at(t, p)
			}
			b.Release()
		}
		cycle()
		before := proctest.Handles(t, os.Getpid())
		for range 100 {
			cycle()
		}
		// The runtime may have grown a little meanwhile.
		if after := proctest.Handles(t, os.Getpid()); after > before+8 {
			t.Errorf("%d handles, and %d before", after, before)
		}
		b, destroy := g.must(t)
		expect(t, "anyone", b.Anyone(), true)
		p.Kill()
		p.Wait()
		destroy()
	})
}

// The sleepers of a handle hold one thread, however many they are.
func TestSleepersShareAThread(t *testing.T) {
	b, _ := ground{"files", "test"}.must(t)
	expect(t, "claim", claim(t, b, 0), true)
	before := proctest.Handles(t, os.Getpid()) // each thread has some
	awake := sleepOnce(b, 0, 200)
	f := b.(*Files)
	within(t, "nobody waits", func() bool {
		f.bell.mu.Lock()
		defer f.bell.mu.Unlock()
		return f.bell.round != nil
	})
	time.Sleep(50 * time.Millisecond) // for more to wait, if they did
	if now := proctest.Handles(t, os.Getpid()); now > before+100 {
		t.Errorf("%d handles, and %d before", now, before)
	}
	ring(b)
	within(t, "no wake", func() bool { return awake.Load() == 200 })
}

// Whoever has taken an event's name makes sleeps short, and wakes no less sure.
func TestNameIsTaken(t *testing.T) {
	s := newSleeper("taken")
	defer s.close()
	name, err := windows.UTF16PtrFromString(s.eventName(3))
	if err != nil {
		t.Fatal(err)
	}
	other, err := windows.CreateMutex(nil, false, name)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(other)
	var bell atomic.Uint32
	for range 3 {
		s.sleep(&bell, 0, 3)
	}
	s.wake(&bell, func(number int) bool { return number == 3 }, 4)
}

// One event is told from another's by what the sleepers sleep on.
func TestSleepersOfOthers(t *testing.T) {
	a, same, other := newSleeper("a"), newSleeper("a"), newSleeper("b")
	defer a.close()
	var bell atomic.Uint32
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.sleep(&bell, 0, 1)
	}()
	within(t, "nobody waits", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.round != nil
	})
	other.wake(&bell, func(int) bool { return true }, 4)
	same.wake(&bell, func(number int) bool { return number != 1 }, 4)
	select {
	case <-done:
		t.Error("another's wake wakes")
	case <-time.After(20 * time.Millisecond):
	}
	same.wake(&bell, func(int) bool { return true }, 4)
	select {
	case <-done:
	case <-time.After(proctest.Watchdog):
		t.Error("no wake")
	}
	same.close()
}
