package wait

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestSleeper(t *testing.T) {
	var word atomic.Uint32
	s := NewSleeper(&word)
	for i, step := range []struct {
		do   func()
		want uint32
	}{
		{s.Wake, 0}, // awake already
		{s.Sleep, 1},
		{s.Sleep, 1}, // asleep already
		{s.Wake, 2},
		{s.Wake, 2},
		{s.Sleep, 3},
		{s.Wake, 4},
	} {
		if step.do(); word.Load() != step.want {
			t.Fatalf("step %d: the word is %d, want %d", i, word.Load(), step.want)
		}
	}
	// What a peer writes into the word is not believed.
	word.Store(77)
	if s.Sleep(); word.Load() != 5 {
		t.Errorf("the word is %d", word.Load())
	}
	s.n = 1<<32 - 1 // the numbers begin again
	if s.Wake(); word.Load() != 0 {
		t.Errorf("after the last number: %d", word.Load())
	}
}

func TestBell(t *testing.T) {
	var word atomic.Uint32
	var b Bell
	b.Init(&word)
	for i, step := range []struct {
		word uint32
		want bool
	}{{0, false}, {1, true}, {1, false}, {1, false}, {2, false}, {3, true}, {3, false}, {1, true}, {1<<32 - 1, true}, {1<<32 - 1, false}, {0, false}, {1, true}} {
		word.Store(step.word)
		if got := b.Due(); got != step.want {
			t.Errorf("step %d: the word is %d, due %v", i, step.word, got)
		}
	}
}

// Of many who publish during one sleep, one rings.
func TestBellRingsOnce(t *testing.T) {
	var word atomic.Uint32
	var b Bell
	b.Init(&word)
	for sleep := uint32(1); sleep < 2000; sleep += 2 {
		word.Store(sleep)
		rung := make(chan bool)
		for range 4 {
			go func() { rung <- b.Due() }()
		}
		n := 0
		for range 4 {
			if <-rung {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("sleep %d: %d rings", sleep, n)
		}
	}
}

// hunt publishes numbers on one side and awaits them on the other, which parks
// after sleep has found nothing. It returns in which round a wake-up was lost, or 0. The
// delay shifts the two sides against each other, since the two looks are only
// some nanoseconds apart.
func hunt(rounds int, sleep func(s *Sleeper, look func() bool) (found bool)) (lost int) {
	var word, published, answered atomic.Uint32
	sleeper := NewSleeper(&word)
	var bell Bell
	bell.Init(&word)
	ring := make(chan struct{}, 1)
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := uint32(1); int(n) <= rounds; n++ {
			look := func() bool { return published.Load() == n }
			for !look() {
				if !sleep(&sleeper, look) {
					select {
					case <-ring:
					case <-stop:
						return
					}
				}
				sleeper.Wake()
			}
			answered.Store(n)
		}
	}()
	for n := uint32(1); int(n) <= rounds; n++ {
		for range n % 97 * 3 { // another moment in each round
			_ = published.Load()
		}
		published.Store(n)
		if bell.Due() {
			ring <- struct{}{}
		}
		for spins := 0; answered.Load() != n; spins++ {
			if spins > 1000 && word.Load()&1 == 1 && len(ring) == 0 && stuck(&answered, n) {
				close(stop)
				<-ended
				return int(n)
			}
			runtime.Gosched()
		}
	}
	<-ended
	return 0
}

// stuck reports whether a side that is asleep, with no ring on its way, stays so.
func stuck(answered *atomic.Uint32, n uint32) bool {
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if answered.Load() == n {
			return false
		}
	}
	return true
}

func TestNoWakeIsLost(t *testing.T) {
	honest := func(s *Sleeper, look func() bool) bool {
		s.Sleep()
		return look()
	}
	if n := hunt(200_000, honest); n != 0 {
		t.Errorf("a wake-up is lost in round %d", n)
	}
}

// The same hunt catches a sleeper that does not look again.
func TestHuntBites(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("one processor: the two sides hardly ever meet")
	}
	hasty := func(s *Sleeper, look func() bool) bool {
		s.Sleep()
		return false
	}
	for range 20 {
		if hunt(200_000, hasty) != 0 {
			return
		}
	}
	t.Error("a sleeper that does not look again has lost no wake-up: the hunt is blind")
}
