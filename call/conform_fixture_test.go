package call_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func init() { call.RegisterRole("conform", conformRole) }

// config is how a fixture's service listens.
type config struct {
	Slots int
	Quota int64
	Conns int
	Later bool // Serve waits until the test says so
}

func (c config) options() (options []call.ListenOption) {
	if c.Slots != 0 {
		options = append(options, call.Slots(c.Slots))
	}
	if c.Quota != 0 {
		options = append(options, call.Quota(c.Quota))
	}
	if c.Conns != 0 {
		options = append(options, call.MaxConns(c.Conns))
	}
	return options
}

// host is a running service, in this process or in another.
type host struct {
	srv    *call.Server
	stage  *stage
	served chan error
}

func listen(name string, c config) (*host, error) {
	srv, err := call.Listen(name, c.options()...)
	if err != nil {
		return nil, err
	}
	h := &host{srv, newStage(), make(chan error, 1)}
	h.stage.install(srv)
	if !c.Later {
		h.serve(context.Background())
	}
	return h, nil
}

func (h *host) serve(ctx context.Context) { go func() { h.served <- h.srv.Serve(ctx) }() }

// end closes the service and checks that nothing of it is left.
func (h *host) end() error {
	h.stage.openAll()
	if err := h.srv.Close(); err != nil {
		return err
	}
	if n := bodyMappings(); n != 0 && os.Getenv("PARTYWALL_PROCTEST_ROLE") != "" {
		return fmt.Errorf("%d body regions are still mapped", n)
	}
	return nil
}

// conformRole serves in a process of its own. It takes commands on its standard
// input, and answers each with a line that begins with the command.
func conformRole(args []string) error {
	var c config
	if err := json.Unmarshal([]byte(args[1]), &c); err != nil {
		return err
	}
	h, err := listen(args[0], c)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		verb, rest, _ := strings.Cut(in.Text(), " ")
		go func() { fmt.Println(verb, h.command(verb, rest)) }()
	}
	return h.end()
}

func (h *host) command(verb, rest string) string {
	var err error
	switch verb {
	case "serve":
		h.serve(context.Background())
	case "served":
		err = <-h.served
	case "open":
		key, perr := strconv.ParseUint(rest, 10, 32)
		if perr != nil {
			return perr.Error()
		}
		h.stage.open(uint32(key))
	case "close":
		err = h.srv.Close()
	case "shutdown":
		d, perr := time.ParseDuration(rest)
		if perr != nil {
			return perr.Error()
		}
		ctx, cancel := within(d)
		defer cancel()
		err = h.srv.Shutdown(ctx)
	default:
		return "unknown command"
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// fixture is a service under test.
type fixture struct {
	t    testing.TB
	name string
	host *host                  // if it is in this process
	proc *proctest.Process      // if it is not
	dies bool                   // the test kills it
	busy map[string]chan string // the host's commands, if it is in this process
	said map[string]string      // what it has answered, if it is not
}

// eachWay runs a test against a service in another process, and in this one.
func eachWay(t *testing.T, c config, test func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run("process", func(t *testing.T) { test(t, startProcess(t, c)) })
	t.Run("local", func(t *testing.T) { test(t, startLocal(t, c)) })
}

// prepare gives the test a run directory of its own, watches what it leaves
// behind, and skips it on a system without conns.
func prepare(t testing.TB) {
	t.Helper()
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	probe, err := call.Listen("probe") // also makes what the runtime keeps for sockets
	if errors.Is(err, partywall.ErrNotSupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	leaks := proctest.Watch(t)
	t.Cleanup(leaks.Check)
}

func startLocal(t testing.TB, c config) *fixture {
	t.Helper()
	prepare(t)
	h, err := listen("local", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.end(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{t: t, name: "local", host: h, busy: map[string]chan string{}}
}

func startProcess(t testing.TB, c config) *fixture {
	t.Helper()
	prepare(t)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, name: "other", proc: proctest.Start(t, "conform", "other", string(text)), said: map[string]string{}}
	f.proc.Expect("listening")
	t.Cleanup(func() {
		if err := f.proc.Wait(); err != nil && !f.dies {
			t.Errorf("the server: %v", err)
		}
	})
	return f
}

// tell begins a command to the host, await waits until it has been carried out.
func (f *fixture) tell(verb, rest string) {
	if f.proc != nil {
		f.proc.Say("%s %s", verb, rest)
		return
	}
	done := make(chan string, 1)
	f.busy[verb] = done
	go func() { done <- f.host.command(verb, rest) }()
}

func (f *fixture) await(verb string) string {
	f.t.Helper()
	if f.proc == nil {
		return recv(f.t, f.busy[verb])
	}
	for f.said[verb] == "" {
		line := f.proc.Line()
		said, result, _ := strings.Cut(line, " ")
		f.said[said] = result
	}
	result := f.said[verb]
	delete(f.said, verb)
	return result
}

func (f *fixture) order(verb, rest string) string {
	f.t.Helper()
	f.tell(verb, rest)
	return f.await(verb)
}

func (f *fixture) dial(options ...call.DialOption) *call.Conn {
	f.t.Helper()
	ctx, cancel := within(proctest.Watchdog)
	defer cancel()
	c, err := call.Dial(ctx, f.name, options...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close() })
	return c
}

// seen waits until that many handlers have begun and ended under a key.
func (f *fixture) seen(c *call.Conn, key uint32, held, left int32) note {
	f.t.Helper()
	ctx, cancel := within(proctest.Watchdog)
	defer cancel()
	n, err := seenM.Call(ctx, c, seenArg{key, held, left})
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *fixture) open(c *call.Conn, key uint32) {
	f.t.Helper()
	if _, err := openM.Call(context.Background(), c, number{int64(key)}); err != nil {
		f.t.Fatal(err)
	}
}

// recv receives what must come.
func recv[T any](t testing.TB, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(proctest.Watchdog):
		t.Fatal("nothing comes")
	}
	return v
}

// eventually waits for what must come true, where there is no event to wait for.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(proctest.Watchdog); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// wantErr checks that err wraps each target.
func wantErr(t testing.TB, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Fatalf("%v; want an error that wraps %q", err, target)
		}
	}
}

// wantText checks that err says each of the words.
func wantText(t testing.TB, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Fatalf("%v; want an error that says %q", err, w)
		}
	}
}
