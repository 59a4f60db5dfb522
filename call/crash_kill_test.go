//go:build linux || windows

package call_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// patience is how long the survivor of a round has for everything. It is no
// measure of speed.
const patience = 5 * time.Second

const (
	survivingServer = "crash.survivor" // in the test's process
	killedServer    = "crash.killed"   // in the process that is killed
)

// TestCrash kills clients and servers at random instants, in rounds that each
// follow from a seed. PARTYWALL_CRASH_ROUNDS=n runs so many rounds;
// PARTYWALL_CRASH_SEED=n runs the round of that seed, once or so many times: the
// seed repeats what is asked and when it is tried to kill, not how the kernel
// schedules it.
func TestCrash(t *testing.T) {
	seeds := crashPlan(t)
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	t.Logf("%d rounds with seeds %d to %d", len(seeds), seeds[0], seeds[len(seeds)-1])
	warmPoller(t)

	leaks := proctest.Watch(t)
	c := &crash{t: t}
	c.listen()
	for _, seed := range seeds {
		c.round(seed)
	}
	c.close()
	leaks.Check()
	checkNoChildren(t)
	checkRunDir(t)
	c.report()
}

// crashPlan returns the seed of each round.
func crashPlan(t *testing.T) (seeds []uint64) {
	first, step, rounds := uint64(time.Now().UnixMilli()), uint64(1), crashRounds
	if testing.Short() {
		rounds /= 10
	}
	if s := os.Getenv("PARTYWALL_CRASH_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("PARTYWALL_CRASH_SEED: %v", err)
		}
		first, step, rounds = n, 0, 1
	}
	if s := os.Getenv("PARTYWALL_CRASH_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("PARTYWALL_CRASH_ROUNDS is not the number of rounds, at least 1: %q", s)
		}
		rounds = n
	}
	for i := range uint64(rounds) {
		seeds = append(seeds, first+i*step)
	}
	return seeds
}

// warmPoller has the runtime open its poller, which it keeps for ever, before the
// descriptors are counted.
func warmPoller(t *testing.T) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
}

// crash is what goes on from round to round.
type crash struct {
	t      *testing.T
	seed   uint64 // of the round
	srv    *call.Server
	served chan error
	ledger ledger
	wrong  atomic.Pointer[error]

	clients, servers int
	byClient         []time.Duration // how long a client took to notice
	byServer         []time.Duration // how long a server took to notice
	emptied          []time.Duration // how long a server took until nothing of the conn was left
}

// fatal fails the test and says how to run the round again.
func (c *crash) fatal(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("seed %d (again: PARTYWALL_CRASH_SEED=%[1]d PARTYWALL_CRASH_ROUNDS=20 go test -run TestCrash ./call): %s",
		c.seed, fmt.Sprintf(format, args...))
}

// within fails the test if f does not return in time.
func (c *crash) within(what string, f func()) {
	c.t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		stacks := make([]byte, 1<<20)
		c.fatal("the survivor hangs: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
}

// listen serves in the test's process, for the clients that are killed.
func (c *crash) listen() {
	report := func(err error) { c.wrong.CompareAndSwap(nil, &err) }
	c.ledger = ledger{wrong: report, seen: map[uint64]struct{}{}}
	srv, err := call.Listen(survivingServer, call.OnError(func(err error) {
		if !errors.Is(err, partywall.ErrPeerGone) { // a client may die in the handshake
			report(err)
		}
	}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.ledger.handle(srv)
	c.srv, c.served = srv, make(chan error, 1)
	go func() { c.served <- srv.Serve(context.Background()) }()
}

func (c *crash) close() {
	c.within("Server.Close", func() {
		if err := c.srv.Close(); err != nil {
			c.t.Error(err)
		}
		if err := <-c.served; err != nil {
			c.t.Errorf("Serve: %v", err)
		}
	})
}

func (c *crash) round(seed uint64) {
	c.seed = seed
	r := rand.New(rand.NewPCG(seed, 0))
	leaks := proctest.Watch(c.t)
	if r.IntN(2) == 0 {
		c.clients++
		c.killClient(r)
	} else {
		c.servers++
		c.killServer(r)
	}
	leaks.Check()
	if c.t.Failed() {
		c.fatal("see above")
	}
}

func (c *crash) killClient(r *rand.Rand) {
	p := proctest.Start(c.t, "crash client", survivingServer, strconv.FormatUint(c.seed, 10), strconv.Itoa(1+r.IntN(8)))
	p.Expect("dialling")
	if r.IntN(4) == 0 {
		time.Sleep(randomDelay(r, 1500*time.Microsecond*crashPace))
	} else {
		p.Expect("dialled")
		time.Sleep(randomDelay(r, 20*time.Millisecond*crashPace))
	}

	ends := call.SessionEnds(c.srv)
	killed := time.Now()
	p.Kill()
	c.within("its server does not notice", func() {
		for _, end := range ends {
			<-end
			c.byServer = append(c.byServer, time.Since(killed))
		}
	})
	c.checkKilled(p)
	c.within("its server does not serve others, or keeps its conn", func() {
		// The service greets in the order of arrival: whatever the killed client
		// had begun is a conn or over once this one is answered.
		if err := c.askFresh(); err != nil {
			c.t.Errorf("another client: %v", err)
		}
		for call.SessionCount(c.srv) > 0 {
			time.Sleep(50 * time.Microsecond)
		}
	})
	if len(ends) > 0 {
		c.emptied = append(c.emptied, time.Since(killed))
	}
	if err := c.complaint(); err != nil {
		c.fatal("%v", err)
	}
	c.ledger.forget()
}

// askFresh asks a question through a conn of its own.
func (c *crash) askFresh() error {
	conn, err := call.Dial(context.Background(), survivingServer)
	if err != nil {
		return err
	}
	defer conn.Close()
	return crowd(conn, c.seed, 2, 1)[0].ask()
}

func (c *crash) killServer(r *rand.Rand) {
	stage, askers, successor := r.IntN(6), 1+r.IntN(8), r.IntN(2) == 0
	p := proctest.Start(c.t, "crash server", killedServer)
	v := &victim{process: p, gone: make(chan struct{})}
	p.Expect("starting")
	if stage == 0 { // killed while it begins to listen
		v.killAfter(randomDelay(r, time.Millisecond*crashPace))
	} else {
		p.Expect("serving")
	}
	if stage == 1 { // killed while it greets
		v.killAfter(randomDelay(r, 1500*time.Microsecond*crashPace))
	}
	conn := c.dialVictim(v, r)
	if stage > 1 {
		v.killAfter(randomDelay(r, 20*time.Millisecond*crashPace))
	}
	if conn != nil {
		c.survive(conn, v, askers)
	}
	<-v.gone
	c.checkKilled(p)
	if conn, err := call.Dial(context.Background(), killedServer); !errors.Is(err, partywall.ErrNotFound) {
		c.fatal("dialling the killed server: %v, %v", conn, err)
	}
	if successor { // or else the next round's server is
		srv, err := call.Listen(killedServer)
		if err != nil {
			c.fatal("the killed server's name is not free at once: %v", err)
		}
		srv.Close()
	}
}

// A victim is a process that is killed meanwhile.
type victim struct {
	process *proctest.Process
	killed  atomic.Pointer[time.Time] // set just before
	gone    chan struct{}             // closed just after
}

func (v *victim) killAfter(delay time.Duration) {
	go func() {
		defer close(v.gone)
		time.Sleep(delay)
		now := time.Now()
		v.killed.Store(&now)
		v.process.Kill()
	}()
}

// dialVictim dials until there is a conn, or the server is killed.
func (c *crash) dialVictim(v *victim, r *rand.Rand) (conn *call.Conn) {
	c.within("Dial", func() {
		for conn == nil {
			dead := v.killed.Load() != nil
			ctx, cancel := context.Background(), func() {}
			if r.IntN(4) == 0 {
				ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(1000))*time.Microsecond)
			}
			got, err := call.Dial(ctx, killedServer, call.Expect(askM))
			cancel()
			switch {
			case err == nil:
				conn = got
			case errors.Is(err, context.DeadlineExceeded):
			case dead && errors.Is(err, partywall.ErrNotFound), v.killed.Load() != nil && errors.Is(err, partywall.ErrPeerGone):
				return
			case errors.Is(err, partywall.ErrNotFound) && !dead:
				time.Sleep(50 * time.Microsecond) // it does not listen yet, or no more
			default:
				c.t.Errorf("dialling: %v", err)
				return
			}
		}
	})
	return conn
}

// survive asks until the server is killed, and leaves the conn.
func (c *crash) survive(conn *call.Conn, v *victim, askers int) {
	noticed := make(chan time.Time, 1)
	go func() { <-conn.Done(); noticed <- time.Now() }()
	c.within("calls do not return", func() {
		if err := askAll(crowd(conn, c.seed, 3, askers)); err != nil {
			c.t.Error(err)
		}
		if killed := v.killed.Load(); killed == nil {
			c.t.Errorf("the server, which lives, is said to have gone: %v", conn.Err())
		} else {
			c.byClient = append(c.byClient, (<-noticed).Sub(*killed))
		}
		if !errors.Is(conn.Err(), partywall.ErrPeerGone) {
			c.t.Errorf("the conn ended with: %v", conn.Err())
		}
	})
	c.within("Conn.Close", func() { conn.Close() })
}

// randomDelay is shorter than long, and often much shorter.
func randomDelay(r *rand.Rand, long time.Duration) time.Duration {
	if r.IntN(4) == 0 {
		long /= 20
	}
	return time.Duration(r.Int64N(int64(long)))
}

// checkKilled reaps the process and checks that it did not end by itself before,
// as a role does that has found something wrong.
func (c *crash) checkKilled(p *proctest.Process) {
	c.t.Helper()
	err := p.Wait()
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || !wasKilled(exit.ProcessState) {
		c.fatal("the process ended by itself: %v; the server in this process: %v", err, c.complaint())
	}
}

// complaint is the first thing that the server in this process found wrong.
func (c *crash) complaint() error {
	if err := c.wrong.Load(); err != nil {
		return *err
	}
	return nil
}

// checkRunDir has the next server clean up, and then finds nothing but locks.
func checkRunDir(t *testing.T) {
	t.Helper()
	srv, err := call.Listen(killedServer)
	if err != nil {
		t.Fatalf("the name of a killed server is not free: %v", err)
	}
	srv.Close()
	entries, err := os.ReadDir(os.Getenv("PARTYWALL_DIR"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".lock") {
			t.Errorf("left in the run directory: %s", e.Name())
		}
	}
}

func (c *crash) report() {
	noticed := slices.Concat(c.byClient, c.byServer)
	say(c.t, "crash: %d rounds, %d clients and %d servers killed, %d conns: noticed p50 %v p99 %v max %v (by clients p50 %v p99 %v, by servers p50 %v p99 %v; nothing of a conn left p50 %v p99 %v)",
		c.clients+c.servers, c.clients, c.servers, len(noticed),
		quantile(noticed, 50), quantile(noticed, 99), quantile(noticed, 100),
		quantile(c.byClient, 50), quantile(c.byClient, 99),
		quantile(c.byServer, 50), quantile(c.byServer, 99),
		quantile(c.emptied, 50), quantile(c.emptied, 99))
}

// say reports a figure, in the test's log and in what the test prints.
func say(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	fmt.Println(line)
}

// quantile returns the p-th percentile.
func quantile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[min(int(float64(len(all))*p/100), len(all)-1)].Round(100 * time.Nanosecond)
}
