//go:build linux || windows

package call_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
)

// waited is how much of a slow handler's nap a short call has to share, up to
// its end, to have waited for it. The bound of docs/PROTOCOL.md is 2 ms and what the schedulers
// add, and a busy machine adds a lot; but only by chance does it hold a call up until the
// nap is over.
const waited = nap / 2

// A handler that sleeps delays no other call of its conn for as long as it
// sleeps, even if the worker that looks for requests runs it.
func TestScaleSlowHandlers(t *testing.T) {
	for _, c := range []struct {
		name string
		doze func(*testing.T, *call.Conn) []napped
	}{
		{"slow from its first call", dozeFirst},
		{"slow at times", dozeAtTimes},
	} {
		t.Run(c.name, func(t *testing.T) {
			const attempts = 3 // for the chance
			for attempt := 1; shortBesideSlow(t, c.name, c.doze) > 0; attempt++ {
				if attempt == attempts {
					t.Errorf("short calls waited for a slow handler, in each of %d attempts", attempts)
					break
				}
			}
		})
	}
}

// shortBesideSlow returns how many short calls waited for a slow one.
func shortBesideSlow(t *testing.T, slow string, doze func(*testing.T, *call.Conn) []napped) (held int) {
	server := startScale(t)
	defer func() { server.Kill(); _ = server.Wait() }()
	conn, err := call.Dial(t.Context(), scaleName)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	echoes, stop := echoMeanwhile(t, conn)
	naps := doze(t, conn)
	stop()

	inline := 0
	for _, n := range naps {
		inline += int(n.Inline)
	}
	var times []time.Duration
	for _, e := range *echoes {
		times = append(times, time.Duration(e.to-e.from))
		for _, n := range naps {
			if shared := min(e.to, n.To) - max(e.from, n.From); n.Inline == 1 && e.to >= n.To && shared > int64(waited) {
				held++
			}
		}
	}
	say(t, "scale: a handler that is %s slept %v %d times, %d of them in the worker: %d short calls beside it took p50 %v p99 %v p99.9 %v, at most %v; %d waited for it",
		slow, nap, len(naps), inline, len(times), quantile(times, 50), quantile(times, 99), quantile(times, 99.9), quantile(times, 100), held)
	if inline == 0 {
		t.Errorf("no slow handler ran in the worker, so that nothing was overtaken")
	}
	return held
}

// A shortCall is when a short call was made and answered, as time.Time.UnixNano.
type shortCall struct{ from, to int64 }

// echoMeanwhile makes short calls, one after the other, until it is stopped.
func echoMeanwhile(t *testing.T, c *call.Conn) (echoes *[]shortCall, stop func()) {
	echoes = new([]shortCall)
	ctx, cancel := context.WithCancel(context.Background())
	var echoing sync.WaitGroup
	echoing.Go(func() {
		for i := uint64(0); ctx.Err() == nil; i++ {
			start := time.Now()
			got, err := echoM.Call(context.Background(), c, i)
			*echoes = append(*echoes, shortCall{start.UnixNano(), time.Now().UnixNano()})
			if got != i || err != nil {
				t.Errorf("short call %d: %d, %v", i, got, err)
				return
			}
		}
	})
	return echoes, func() { cancel(); echoing.Wait() }
}

// dozeFirst calls methods of which the server does not know yet that they are slow.
func dozeFirst(t *testing.T, c *call.Conn) (naps []napped) {
	for _, m := range dozyMs {
		n, err := m.Call(context.Background(), c, 1)
		if err != nil || n.N != 1 {
			t.Fatal(n, err)
		}
		naps = append(naps, n)
	}
	return naps
}

// dozeAtTimes calls a method until the server takes it for short, and then it is slow.
func dozeAtTimes(t *testing.T, c *call.Conn) (naps []napped) {
	for range 10 {
		for range 500 {
			if n, err := moodyM.Call(context.Background(), c, 0); err != nil || n.N != 0 {
				t.Fatal(n, err)
			}
		}
		n, err := moodyM.Call(context.Background(), c, 1)
		if err != nil || n.N != 1 {
			t.Fatal(n, err)
		}
		naps = append(naps, n)
	}
	return naps
}
