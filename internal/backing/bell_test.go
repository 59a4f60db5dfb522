package backing

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// asleep is what the tests' anchors say.
func asleep(b Backing) func(int) bool {
	return func(number int) bool { return sleepers(b, number).Load() != 0 }
}

func ring(b Backing) uint32 {
	step := bell(b).Add(1)
	b.Wake(bell(b), asleep(b), testNumbers)
	return step
}

// Each wake reaches all goroutines of all processes, whether they sleep already, are about to,
// or are just awake for another reason.
func TestWakeReachesAll(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		b, _ := g.must(t)
		var all []*proctest.Process
		for number := range 3 {
			p := g.start(t)
			expect(t, "claim", ask(p, "claim %d", number), "true")
			ask(p, "follow 4")
			ask(p, "unlock")
			all = append(all, p)
		}
		for i := range 300 {
			step := ring(b)
			for n, p := range all {
				if got := at(t, p); got != step {
					t.Fatalf("process %d is at %d, not at %d", n, got, step)
				}
			}
			if i%50 == 0 {
				time.Sleep(5 * time.Millisecond) // now they all sleep
			}
		}
		all[0].Kill()
		all[0].Wait()
		step := ring(b)
		for _, p := range all[1:] {
			expect(t, "after one was killed", at(t, p), step)
		}
	})
}

// at returns which step the goroutines of a process have reached.
func at(t *testing.T, p *proctest.Process) (step uint32) {
	t.Helper()
	if _, err := fmt.Sscan(p.Expect("at "), &step); err != nil {
		t.Fatal(err)
	}
	return step
}

// sleepOnce has goroutines sleep once.
func sleepOnce(b Backing, number, goroutines int) (awake *atomic.Int32) {
	awake = new(atomic.Int32)
	sleepers(b, number).Store(uint32(goroutines))
	seen := bell(b).Load()
	for range goroutines {
		go func() {
			b.Sleep(bell(b), seen, number)
			awake.Add(1)
		}()
	}
	return awake
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(proctest.Watchdog); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(what)
		}
	}
}

// WakeOwn wakes the goroutines of one number, and Wake those of all.
func TestWakeOwn(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		a, _ := g.must(t)
		b, done := g.must(t)
		expect(t, "a claims 1", claim(t, a, 1), true)
		expect(t, "b claims 2", claim(t, b, 2), true)
		for round := range 20 {
			mine, others := sleepOnce(a, 1, 3), sleepOnce(b, 2, 3)
			// They may not sleep yet.
			within(t, "WakeOwn does not wake", func() bool {
				a.WakeOwn(bell(a), 1)
				return mine.Load() == 3
			})
			if round == 0 { // later they may find the signal of a ring before which they were awake
				expect(t, "others who are awake", others.Load(), int32(0))
			}
			ring(a)
			within(t, "Wake does not wake", func() bool { return others.Load() == 3 })
		}
		lock(t, b)
		b.Release()
		b.Unlock()
		lock(t, a)
		a.Release()
		a.Unlock()
		done()
	})
}

// A bell that has changed lets nobody sleep.
func TestSleepOfChangedBell(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		b, _ := g.must(t)
		bell(b).Store(5)
		b.Sleep(bell(b), 4, 0)
	})
}

func BenchmarkWake(b *testing.B) {
	for _, count := range []int{0, 1, testNumbers} {
		b.Run(fmt.Sprintf("sleepers=%d", count), func(b *testing.B) {
			g := ground{"files", "bench"}
			f, done, err := g.open(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			f.Unlock()
			defer func() { f.Release(); f.Destroy(); done() }()
			var stop atomic.Bool
			var all []Backing
			for number := range count {
				other, done, err := g.open(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				defer done()
				other.Unlock()
				all = append(all, other)
				sleepers(f, number).Store(1)
				go func() {
					for !stop.Load() {
						other.Sleep(bell(f), bell(f).Load(), number)
					}
					sleepers(f, number).Store(0)
				}()
			}
			for b.Loop() {
				ring(f)
			}
			stop.Store(true)
			for number := range all {
				for sleepers(f, number).Load() != 0 {
					ring(f)
				}
			}
		})
	}
}
