package wait

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestTurnIsBounded(t *testing.T) {
	if permits == 0 {
		t.Skip("no spinning with one processor")
	}
	for _, rang := range []bool{false, true} {
		budget := wakeCost
		if rang {
			budget *= 3
		}
		var turn Turn
		if rang {
			turn.Extend()
		}
		start := Now() // on Windows the time package's clock is too coarse
		for turn.Next() {
			if Now()-start > 30*time.Second {
				t.Fatal("it spins for ever")
			}
		}
		if took := Now() - start; took < budget {
			t.Errorf("rang %v: the spin ends after %v, before a wake would", rang, took)
		}
		if turn.Turns() < freeTurns {
			t.Errorf("rang %v: it has looked %d times", rang, turn.Turns())
		}
		if turn.End(); turn.Turns() != 0 || spinners.Load() != 0 || turn != (Turn{}) {
			t.Errorf("after End: %+v, %d spin", turn, spinners.Load())
		}
	}
}

// Beyond the free turns only as many spin as there are permits, and they give
// them back.
func TestPermits(t *testing.T) {
	if permits == 0 {
		t.Skip("no spinning with one processor")
	}
	turns := make([]Turn, permits+3)
	for i := range turns {
		for range freeTurns - 1 {
			if !turns[i].Next() {
				t.Fatal("a free turn is refused")
			}
		}
	}
	for i := range turns {
		turns[i].Next()
		if got, want := turns[i].permitted, i < int(permits); got != want {
			t.Errorf("spinner %d of %d: permitted %v", i, permits, got)
		}
		if !turns[i].permitted && turns[i].Next() {
			t.Errorf("spinner %d goes on without a permit", i)
		}
	}
	for i := range turns {
		turns[i].End()
		turns[i].End() // once more is harmless
	}
	if n := spinners.Load(); n != 0 {
		t.Errorf("%d permits are missing", n)
	}
}

// A spin that lasts longer than a wake costs ends when others find no permit.
func TestLongSpinGivesWay(t *testing.T) {
	if permits == 0 {
		t.Skip("no spinning with one processor")
	}
	spin := func(asked time.Duration, extend bool) (lasted time.Duration) {
		var turn, other Turn
		if extend {
			turn.Extend()
		}
		asks := asked != 0
		turn.Last(20 * wakeCost)
		for turn.Next() {
			if lasted = turn.Lasted(); asked != 0 && lasted >= asked {
				asked = 0
				before := spinners.Swap(permits) // all the permits are taken
				for other.Next() {
				}
				spinners.Store(before)
			}
		}
		lasted = turn.Lasted()
		if early := lasted < 20*wakeCost; turn.GaveWay() != early || early && !asks {
			t.Errorf("after %v: gave way %v", lasted, turn.GaveWay())
		}
		turn.End()
		other.End()
		return lasted
	}
	if d := spin(0, false); d < 20*wakeCost {
		t.Errorf("a spin alone lasts %v", d)
	}
	for _, test := range []struct {
		asked, least time.Duration
		extend       bool
	}{{1, wakeCost, false}, {2 * wakeCost, 2 * wakeCost, false}, {1, extended * wakeCost, true}} {
		d := spin(test.asked, test.extend)
		for tries := 1; d > 19*wakeCost && tries < 20; tries++ { // others may have used the processor meanwhile
			d = spin(test.asked, test.extend)
		}
		if d < test.least || d > 19*wakeCost {
			t.Errorf("asked for its permit after %v, extended %v, it lasts %v", test.asked, test.extend, d)
		}
	}
}

func TestNoSpinningWithOneProcessor(t *testing.T) {
	before := permits
	defer func() { permits = before }()
	permits = 0
	var turn Turn
	if turn.Next() {
		t.Error("it spins")
	}
	turn.End()
}

func TestPause(t *testing.T) {
	for _, n := range []uint32{1, 2, maxBurst} {
		pause(n)
	}
}

func TestPredictor(t *testing.T) {
	var p Predictor
	if !p.Spin() {
		t.Fatal("the zero value is not confident")
	}
	// After so many failures in a row, so many waits are not spun.
	for i, want := range []int{0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64} {
		p.Miss()
		skipped := 0
		for !p.Spin() {
			if skipped++; skipped > 1000 {
				t.Fatalf("failure %d: it never spins again", i)
			}
		}
		if skipped != want {
			t.Errorf("failure %d: %d waits are not spun, want %d", i, skipped, want)
		}
	}
	for range 1000 {
		p.Miss()
	}
	if p.Spin() {
		t.Error("confident after a thousand failures")
	}
	if p.Hit(0); !p.Spin() {
		t.Error("not confident after a success")
	}
	p.Miss()
	if !p.Spin() {
		t.Error("one failure after a success counts as many")
	}

	// A sleep counts as a success if a spin would have been one.
	for _, test := range []struct {
		took  time.Duration
		wakes int
		want  bool
	}{{0, 1, true}, {2*wakeCost - 1, 1, true}, {2 * wakeCost, 1, false}, {2 * wakeCost, 2, true}, {time.Hour, 2, false}} {
		var p Predictor
		for range 20 {
			p.Miss()
		}
		if p.Slept(test.took, test.wakes); p.Spin() != test.want {
			t.Errorf("after a sleep of %v with %d wakes: not %v", test.took, test.wakes, test.want)
		}
	}
}

func TestPredictorConcurrently(t *testing.T) {
	var p Predictor
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 2000 {
				if p.Spin() && i%3 == 0 {
					p.Miss()
				} else if i%50 == 0 {
					p.Hit(0)
				}
				runtime.Gosched()
			}
		})
	}
	group.Wait()
	p.Hit(0)
	if !p.Spin() {
		t.Error("not confident after a success")
	}
}

func BenchmarkPause(b *testing.B) {
	for b.Loop() {
		pause(maxBurst)
	}
}

func BenchmarkPredictor(b *testing.B) {
	var p Predictor
	for b.Loop() {
		if p.Spin() {
			p.Hit(0)
		}
	}
}

// Work at a steady pace is worth a spin of twice the time between, up to a limit.
func TestPredictorLearnsAPace(t *testing.T) {
	var p Predictor
	if p.Worth() != 0 {
		t.Error("at first it is worth more than a wake")
	}
	for range 20 {
		p.Miss()
	}
	pace := 2 * wakeCost
	for i := range chance {
		if p.Spin() {
			t.Fatalf("confident after %d short waits", i)
		}
		p.Idled(pace)
	}
	if !p.Spin() || p.Worth() != 2*pace {
		t.Errorf("after %d waits of %v: spins %v, for %v", chance, pace, p.Spin(), p.Worth())
	}
	for range 100 {
		p.Hit(wakeCost / 2)
	}
	if worth := p.Worth(); worth < wakeCost || worth > wakeCost+wakeCost/4 {
		t.Errorf("after many waits of %v a spin of %v is worth while", wakeCost/2, worth)
	}
	if p.Hit(time.Hour); p.Worth() != longestWorth*wakeCost {
		t.Errorf("a spin of %v is worth while", p.Worth())
	}

	// Work at random has short waits, but not many in a row.
	p = Predictor{}
	for range 20 {
		p.Miss()
	}
	for range 10 {
		p.Idled(pace)
		p.Idled(pace)
		p.Idled(longestWorth * wakeCost)
	}
	if p.Spin() {
		t.Error("confident after short waits with long ones between")
	}
}

func TestLasted(t *testing.T) {
	if permits == 0 {
		t.Skip("no spinning with one processor")
	}
	var turn Turn
	turn.Next()
	if turn.Lasted() != 0 {
		t.Error("a free turn has lasted")
	}
	start := Now()
	for turn.Next() {
	}
	whole := Now() - start
	time.Sleep(wakeCost) // does not count
	if lasted := turn.Lasted(); lasted < wakeCost || lasted > whole {
		t.Errorf("a spin of %v lasted %v", whole, lasted)
	}
	turn.End()
}
