//go:build linux || windows

package call_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// clients starts processes that dial when they are told to.
func (s *startTest) clients(n int) []*proctest.Process {
	s.t.Helper()
	var all []*proctest.Process
	for range n {
		all = append(all, proctest.Start(s.t, "start client", s.name, s.book))
	}
	for _, c := range all {
		c.Expect("ready")
	}
	return all
}

// served waits until all the clients have been served, and returns by whom.
func (s *startTest) served(clients []*proctest.Process) (pid int) {
	s.t.Helper()
	for _, c := range clients {
		got, err := strconv.Atoi(strings.TrimPrefix(c.Line(), "served "))
		switch {
		case err != nil:
			s.t.Fatalf("client %d: %v", c.PID(), err)
		case pid == 0:
			pid = got
		case pid != got:
			s.t.Fatalf("processes %d and %d serve", pid, got)
		}
	}
	return pid
}

// Many clients race to start one server, again and again: one server each time, all served.
// Every other round begins while the server of the last is still dying.
func TestStartRace(t *testing.T) {
	clients, rounds := startClients, startRounds
	switch {
	case testing.Short():
		clients, rounds = min(8, clients), min(6, rounds)
	case raceEnabled:
		rounds = startSlowly
	}
	s := newStartTest(t)
	racers := s.clients(clients)
	old := 0
	starters := map[int]bool{}
	var took []time.Duration
	for round := range rounds {
		begun := time.Now()
		for _, c := range racers {
			c.Say("dial %d", old)
		}
		pid := s.served(racers)
		took = append(took, time.Since(begun))
		e := s.wantStarted(round + 1)
		if e.pid != pid {
			t.Fatalf("process %d was started, and %d serves", e.pid, pid)
		}
		starters[e.parent] = true
		old = pid
		if wait := s.kill(pid); round%2 == 0 {
			wait()
		} else {
			t.Cleanup(wait)
		}
	}
	s.wantFree()
	slices.Sort(took)
	say(t, "%d rounds of %d clients: a round took %v to %v, half of them at most %v; %d different clients were the starter",
		rounds, clients, took[0], took[len(took)-1], took[len(took)/2], len(starters))
}

// The client that starts the server is killed at a random instant. The others are
// served, by one server.
func TestStartRaceKilledStarter(t *testing.T) {
	clients, rounds := 8, startVictims
	if testing.Short() || rounds < 6 {
		clients, rounds = 4, min(6, rounds)
	}
	s := newStartTest(t)
	racers := s.clients(clients)
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	old, victims, orphans := 0, 0, 0
	long := 50 * time.Millisecond // about how long a start takes
	for round := range rounds {
		victim := s.clients(1)[0]
		begun := time.Now()
		victim.Say("dial %d", old)
		if r.IntN(2) == 0 {
			time.Sleep(randomDelay(r, long)) // then it is rather alone
		}
		for _, c := range racers {
			c.Say("dial %d", old)
		}
		time.Sleep(randomDelay(r, long))
		victim.Kill()
		pid := s.served(racers)
		long = max(time.Since(begun), time.Millisecond)
		e := s.wantStarted(round + 1)
		if e.pid != pid {
			t.Fatalf("process %d was started, and %d serves", e.pid, pid)
		}
		switch {
		case e.parent == victim.PID():
			victims++
		case !slices.ContainsFunc(racers, func(c *proctest.Process) bool { return c.PID() == e.parent }):
			orphans++ // its parent was dead before it had begun
		}
		old = pid
		s.end(pid)
	}
	if victims+orphans == 0 {
		t.Error("the victim was never the starter")
	}
	s.wantFree()
	say(t, "%d rounds of %d clients: the victim was the starter in %d, and dead before its server had begun in %d of them",
		rounds, clients, victims+orphans, orphans)
}

// What is exclusive between processes is so between goroutines too.
func TestStartRaceInOneProcess(t *testing.T) {
	const goroutines, rounds = startGoroutines, 3
	s := newStartTest(t)
	leaks := proctest.Watch(t)
	for round := range rounds {
		pids := make([]int, goroutines)
		var group sync.WaitGroup
		for i := range pids {
			group.Go(func() {
				pid, err := askNewer(0, func(ctx context.Context) (*call.Conn, error) {
					return call.Dial(ctx, s.name, s.start())
				})
				if err != nil {
					t.Error(err)
				}
				pids[i] = pid
			})
		}
		group.Wait()
		e := s.wantStarted(round + 1)
		if i := slices.IndexFunc(pids, func(pid int) bool { return pid != e.pid }); i >= 0 {
			t.Errorf("process %d was started, and %d serves", e.pid, pids[i])
		}
		s.end(e.pid)
	}
	s.wantFree()
	leaks.Check()
	awaitNoChildren(t)
}
