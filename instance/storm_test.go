package instance_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

var (
	stormRounds = flag.Int("rounds", 0, "how many rounds the storms have; 0 is a few")
	seedFlag    = flag.Uint64("seed", 0, "the seed of the tests; 0 takes one at random")
)

// seed makes a random source, and says how to get the same one again.
func seed(t testing.TB) *rand.Rand {
	t.Helper()
	n := *seedFlag
	if n == 0 {
		n = rand.Uint64()
	}
	t.Logf("-seed %d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// strange makes an argument list of any bytes but 0, which no system passes.
func strange(r *rand.Rand) (args [][]byte) {
	for range r.IntN(6) {
		arg := make([]byte, r.IntN(40))
		for i := range arg {
			arg[i] = byte(1 + r.IntN(255))
		}
		args = append(args, arg)
	}
	return args
}

func stringsOf(blobs [][]byte) (list []string) {
	for _, b := range blobs {
		list = append(list, string(b))
	}
	return list
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// stormPatience is longer than a busy machine takes for a round: that 64 processes at once are slow is no
// finding.
const stormPatience = 5 * proctest.Watchdog / 6

// Many processes start at once: one of them is the first, and it gets the arguments of all others,
// each once and unchanged.
func TestStorm(t *testing.T) {
	prepare(t)
	processes, rounds := 64, 10
	if testing.Short() || raceEnabled || runtime.GOOS == "windows" {
		processes, rounds = 16, 4
	}
	if *stormRounds != 0 {
		processes, rounds = 64, *stormRounds
	}
	random := seed(t)
	var players []*proctest.Process
	for range processes {
		players = append(players, proctest.Start(t, "player"))
	}
	var whole time.Duration
	firsts := map[int]bool{}
	for round := range rounds {
		want := map[string]int{} // how often a launch comes, by its sum
		sums := make([]string, processes)
		at := time.Now().Add(20 * time.Millisecond)
		for i, p := range players {
			// The first argument makes each list the only one of its kind.
			args := append([][]byte{fmt.Appendf(nil, "%d of %d", i, round)}, strange(random)...)
			sums[i] = sum(stringsOf(args), nil, nil)
			want[sums[i]]++
			tell(t, p, order{Do: "acquire", Name: "storm", At: at.UnixNano(), Patience: stormPatience, Args: args})
		}
		first, pid := -1, 0
		var senders []int
		got := map[string]int{}
		for i, p := range players {
			r := hear(t, p, "first", "running", "launch")
			for r.What == "launch" { // of the first, which hears of some before it speaks
				got[r.Sum]++
				r = hear(t, p, "first", "launch")
			}
			if senders = append(senders, r.PID); r.What == "first" {
				if first >= 0 {
					t.Fatalf("round %d: processes %d and %d are both the first", round, first, i)
				}
				first, pid = i, r.PID
				delete(want, sums[i])
			}
		}
		whole += time.Since(at)
		if first < 0 {
			t.Fatalf("round %d: nobody is the first", round)
		}
		firsts[first] = true
		for i, s := range senders {
			if s != pid {
				t.Errorf("round %d: process %d says that the first is %d; it is %d", round, i, s, pid)
			}
		}
		for came := total(got); came < processes-1; came++ {
			got[hear(t, players[first], "launch").Sum]++
		}
		tell(t, players[first], order{Do: "close"})
		hear(t, players[first], "closed")
		for s, n := range want {
			if got[s] != n {
				t.Errorf("round %d: a launch has come %d times", round, got[s])
			}
		}
	}
	t.Logf("%d processes, %d rounds: one first each, %d different ones; a round takes %v", processes, rounds, len(firsts), (whole / time.Duration(rounds)).Round(100*time.Microsecond))
}
