//go:build linux || windows

package call

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// A clientLie is one attack of a client on a server.
type clientLie struct {
	name string

	// lie tells it, on a conn that is made. The conn is then put to the question,
	// unless it fails.
	lie func(l *lyingClient) error

	// join is for an attack on what comes before the handshake, and greet for one on the
	// handshake, which it does itself.
	join  func(service string) (outcome, error)
	greet func(w *wire, service string) (outcome, error)

	// want is how the attack ends, and cause what OnError is told. Unless they
	// are set, the conn ends because the peer broke the protocol.
	want  outcome
	cause error
}

// errNone is the cause of an end that OnError is not told of: the client has left.
var errNone = errors.New("nothing")

func allClientLies() []clientLie {
	return slices.Concat(requestLies, formLies, garbageLies, unreadMetaLies, placeLies, keptResultLies, changeLies, describeLies, bodyLies, lendLies, strangeLends, messageLies, frameLies, strangeFrames, handshakeLies, joinLies)
}

func init() {
	roles["hostile-client"] = hostileClient
	roles["honest-client"] = honestClient
}

// hostileClient is the process of a lying client: service.
func hostileClient(args []string) error {
	lies := slices.Concat(allClientLies(), interceptedLies)
	return tellLies(func(name string) error {
		a := lies[slices.IndexFunc(lies, func(a clientLie) bool { return a.name == name })]
		got, err := a.tell(args[0])
		fmt.Println("outcome", got)
		return err
	})
}

// tell tells the lie, and says how that has ended.
func (a clientLie) tell(service string) (outcome, error) {
	if a.join != nil {
		got, err := a.join(service)
		if err != nil {
			got = outcomeOf(err)
		}
		return got, nil
	}
	if a.greet != nil {
		w, err := dialWire(service)
		if err != nil {
			return "", err
		}
		defer w.hangUp()
		got, err := a.greet(w, service)
		if err != nil {
			got = outcomeOf(err)
		}
		return got, nil
	}
	l, err := newLyingClient(service)
	if err != nil {
		return "", err
	}
	defer l.hangUp()
	if err = a.lie(l); err == nil {
		err = l.check()
	}
	return outcomeOf(err), nil
}

// honestPace is how often an honest client calls: often enough to meet every
// attack, seldom enough to leave processors to the attack.
const honestPace = 500 * time.Microsecond

// honestClient is the process of a client that must be served, whatever others
// do. To each line it answers when it has been served another twenty times.
func honestClient(args []string) error {
	c, err := Dial(context.Background(), args[0], Expect(lieAdd))
	if err != nil {
		return err
	}
	defer c.Close()
	more, rounds := make(chan struct{}), make(chan error)
	go func() {
		defer close(more)
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			more <- struct{}{}
		}
	}()
	go callOnAndOn(c, more, rounds)
	for err := range rounds {
		if err != nil {
			fmt.Println("failed", err)
			return err
		}
		fmt.Println("served")
	}
	return nil
}

// callOnAndOn calls until more is closed. To each of its tokens it answers when
// it has been served another twenty times, or when it has not been.
func callOnAndOn(c *Conn, more <-chan struct{}, rounds chan<- error) {
	defer close(rounds)
	pace := time.NewTicker(honestPace)
	defer pace.Stop()
	for i, due := int64(0), 0; ; i++ {
		if err := callHonestly(c, i); err != nil {
			rounds <- err
			return
		}
		if due > 0 {
			if due--; due == 0 {
				rounds <- nil
			}
		}
		select {
		case _, again := <-more:
			if !again {
				return
			}
			due = 20
		case <-pace.C:
		}
	}
}

// callHonestly makes one call, of a kind that i chooses, and checks its result.
func callHonestly(c *Conn, i int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog/2)
	defer cancel()
	ask := addOnce
	switch i % 8 {
	case 0, 4:
		ask = addBody
	case 1:
		ask = noteEchoed(int(i % 700))
	case 3:
		ask = bytesEchoed(int(i*7%10_000), int(i%100))
	case 5:
		ask = placeOnce(int(i % 5_000))
	}
	if err := ask(ctx, c); err != nil {
		return fmt.Errorf("honest call %d: %w", i, err)
	}
	return nil
}

// A victimServer is served by the test's process while others attack it.
type victimServer struct {
	*Server
	t      testing.TB
	errs   chan error
	honest *proctest.Process
	liars  *liars
	done   chan error
}

func newVictimServer(t testing.TB, options ...ListenOption) *victimServer {
	t.Helper()
	setUp(t)
	v := &victimServer{t: t, errs: make(chan error, 1<<16), done: make(chan error, 1)}
	v.liars = &liars{t: t, role: "hostile-client", args: []string{"victim"}}
	report := OnError(func(err error) {
		select {
		case v.errs <- err:
		default: // nobody counts as many
		}
	})
	srv, err := Listen("victim", append(options, report)...)
	if err != nil {
		t.Fatal(err)
	}
	v.Server = srv
	handleLies(srv)
	go func() { v.done <- srv.Serve(context.Background()) }()
	v.honest = proctest.Start(t, "honest-client", "victim")
	v.serves()
	return v
}

// setUp gives this process and those that it starts a run directory. The race
// detector, which would end each process with a second's sleep, does without.
func setUp(t testing.TB) {
	t.Setenv("PARTYWALL_DIR", t.TempDir()+"/run")
	t.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
}

// serves checks that the honest client is served.
func (v *victimServer) serves() {
	v.t.Helper()
	v.honest.Say("more")
	if line := v.honest.Line(); line != "served" {
		v.t.Fatalf("the honest client: %s", line)
	}
}

// close ends the liar, the honest client and the server.
func (v *victimServer) close() {
	v.t.Helper()
	v.liars.close(v.t)
	if err := v.honest.Wait(); err != nil {
		v.t.Errorf("the honest client: %v", err)
	}
	if err := v.Close(); err != nil {
		v.t.Error(err)
	}
	if err := <-v.done; err != nil {
		v.t.Error(err)
	}
}

// attack has one lie told by a process of its own.
func (v *victimServer) attack(t *testing.T, a clientLie) {
	liar, leaks := v.liars.tell(t, a.name)
	got := verdictOf(t, liar)
	v.liars.enough(t)
	want, cause := a.want, a.cause
	if want == "" {
		want = ended
	}
	if cause == nil && want != served {
		cause = partywall.ErrProtocol
	}
	if got != want {
		t.Errorf("the liar's conn: %s, want: %s", got, want)
		if weakBuild {
			t.FailNow() // that is enough to know
		}
	}
	eventually(t, "the honest client's session alone", func() bool { return len(v.all()) == 1 })
	if cause != nil && cause != errNone {
		if err := v.reported(t); !errors.Is(err, cause) {
			t.Errorf("OnError was told %v, want what wraps %v", err, cause)
		}
	}
	select {
	case err := <-v.errs:
		t.Errorf("OnError was told: %v", err)
	default:
	}
	v.serves()
	leaks.check()
}

// verdictOf returns what a liar says.
func verdictOf(t *testing.T, liar *proctest.Process) outcome {
	for {
		line := liar.Line()
		if got, ok := strings.CutPrefix(line, "outcome "); ok {
			return outcome(got)
		}
		t.Log(line)
	}
}

// reported returns the next error that OnError was told.
func (v *victimServer) reported(t *testing.T) error {
	select {
	case err := <-v.errs:
		return err
	case <-time.After(patience):
		t.Error("OnError was not told")
		return nil
	}
}

func TestHostileClient(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	shortHandshake(t)
	v := newVictimServer(t)
	for _, a := range allClientLies() {
		t.Run(a.name, func(t *testing.T) { v.attack(t, a) })
	}
	v.close()
	leaks.Check()
}

// shortHandshake makes the victims of this test impatient, so that it takes
// no 5 s for each peer that stalls.
func shortHandshake(t testing.TB) {
	before := handshakeTimeout
	handshakeTimeout = shortHandshakeTime
	t.Cleanup(func() { handshakeTimeout = before })
}

// eventually waits for what must happen soon, without anybody to announce it.
func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v", what, patience)
		}
	}
}

// holdings is what this process holds that a peer can have given it.
type holdings struct {
	t      testing.TB
	before map[string]int
}

func watchHoldings(t testing.TB) *holdings { return &holdings{t, held(t)} }

// check waits until the process holds what it held before.
func (h *holdings) check() {
	h.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		now := held(h.t)
		if cmp.Equal(h.before, now) {
			return
		}
		if time.Now().After(deadline) {
			h.t.Errorf("what it holds, before and after:\n%s", cmp.Diff(h.before, now))
			return
		}
	}
}
