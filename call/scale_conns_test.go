//go:build linux || windows

package call_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func startScale(t *testing.T) *proctest.Process {
	t.Helper()
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	server := proctest.Start(t, "scale server")
	server.Expect("serving")
	return server
}

// Many idle conns cost a server no threads and no processor time, and
// their one busy neighbour next to nothing.
func TestScaleIdleConns(t *testing.T) {
	needDescriptors(t, manyConns+200)
	server := startScale(t)
	idler := proctest.Start(t, "scale idler")
	hot, err := call.Dial(t.Context(), scaleName)
	if err != nil {
		t.Fatal(err)
	}
	defer hot.Close()

	// What else the machine does may slow calls down for whole rounds, and only adds: the
	// shortest counts, and a round more is made while that of one kind may just not have been quiet.
	var alone, beside []time.Duration // in each round
	slowed := func() float64 { return float64(slices.Min(beside)) / float64(slices.Min(alone)) }
	for round := 1; ; round++ {
		alone = append(alone, hotTime(t, hot, hotFor))
		idler.Say("open %d", manyConns)
		idler.Expect("opened")
		beside = append(beside, hotTime(t, hot, hotFor))
		if n := proctest.Threads(t, server.PID()); n > mostThreads {
			t.Errorf("the server has %d threads with %d conns, at most %d are allowed", n, manyConns+1, mostThreads)
		}
		if n := proctest.Threads(t, idler.PID()); n > mostThreads {
			t.Errorf("the client has %d threads with %d conns, at most %d are allowed", n, manyConns, mostThreads)
		}
		if round >= scaleRounds && slowed() <= mostSlowed || round == 4*scaleRounds {
			break
		}
		idler.Say("close")
		idler.Expect("closed")
	}
	say(t, "scale: a call of a hot conn takes %v alone, %v beside %d idle ones: ratio %.2f (rounds: %v and %v); threads: server %d, client %d",
		slices.Min(alone), slices.Min(beside), manyConns, slowed(), alone, beside, proctest.Threads(t, server.PID()), proctest.Threads(t, idler.PID()))
	if slowed() > mostSlowed {
		t.Errorf("idle conns slow a hot one down by a factor of %.2f", slowed())
	}

	window, windows := scaleWindow, 3
	if testing.Short() {
		window, windows = 2*time.Second, 10
	}
	var servers, clients []time.Duration
	for range windows {
		s, c := proctest.ProcessorTime(t, server.PID()), proctest.ProcessorTime(t, idler.PID())
		time.Sleep(window) // this is what is measured: nothing happens
		servers = append(servers, proctest.ProcessorTime(t, server.PID())-s)
		clients = append(clients, proctest.ProcessorTime(t, idler.PID())-c)
		if servers[len(servers)-1]+clients[len(clients)-1] <= idleCost {
			break
		}
	}
	say(t, "scale: %d idle conns cost %v of processor time in the server and %v in the client, in windows of %v each",
		manyConns, servers, clients, window)
	// The Go runtime may have some housekeeping left from the busy rounds.
	if servers[len(servers)-1]+clients[len(clients)-1] > idleCost {
		t.Errorf("idle conns use the processor")
	}
}

// hotTime is what a call takes on average, one after the other for a time: the shortest of some tries, since what else
// the machine does only adds. It is no median, which does not see a slow-down of less than half of the calls.
func hotTime(t *testing.T, c *call.Conn, d time.Duration) time.Duration {
	t.Helper()
	ctx, shortest := context.Background(), time.Duration(math.MaxInt64)
	for range hotTries {
		n, start := uint64(0), time.Now()
		for time.Since(start) < d {
			for range hotBatch {
				if got, err := echoM.Call(ctx, c, n); got != n || err != nil {
					t.Fatal(got, err)
				}
				n++
			}
		}
		shortest = min(shortest, time.Since(start)/time.Duration(n))
	}
	return shortest
}

// A thousand calls in flight wait on a handful of threads, on both sides. All
// are there at once, of a method that the client first has to look up: the
// look-ups fill the socket, so that it refuses rings.
func TestScaleCallsInFlight(t *testing.T) {
	server := startScale(t)
	s, c := 0, 0
	for range scaleCrowds {
		crowd := proctest.Start(t, "scale crowd")
		server.Expect("gathered")
		s, c = max(s, proctest.Threads(t, server.PID())), max(c, proctest.Threads(t, crowd.PID()))
		server.Say("release")
		crowd.Expect("answered")
		s, c = max(s, proctest.Threads(t, server.PID())), max(c, proctest.Threads(t, crowd.PID()))
		crowd.Kill() // it has checked every answer
		_ = crowd.Wait()
	}
	say(t, "scale: %d calls in flight on %d threads in the server and %d in the client", manyCalls, s, c)
	if s > mostThreads || c > mostThreads {
		t.Errorf("at most %d threads are allowed", mostThreads)
	}
}
