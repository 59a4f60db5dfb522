package instance_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

// roles are what this test binary can be as another process.
var roles = proctest.Roles{"player": player}

func TestMain(m *testing.M) { proctest.Main(m, roles) }

// prepare gives the test a run directory of its own, watches what it leaves behind, and skips it on a
// system without conns.
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

// An order is a line that a player is told.
type order struct {
	Do       string // acquire, loop, pause, close
	Name     string
	At       int64         // when to begin, in nanoseconds since 1970, so that several begin at once
	Patience time.Duration // the context's deadline, if it is not 0
	Args     [][]byte
	Env      []string
}

// A report is a line that a player says.
type report struct {
	What  string // first, running, unreachable, failed; launch; paused, closed
	PID   int    // of the first; of a launch's sender
	Error string `json:",omitempty"`
	Count int    `json:",omitempty"` // of the launch's arguments
	Sum   string `json:",omitempty"` // of the launch
	Dir   string `json:",omitempty"`
}

// player is a process that does what it is told.
func player([]string) error {
	var mu sync.Mutex
	say := func(r report) {
		line, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf("%s\n", line)
	}
	var first *instance.Instance
	var pause context.CancelFunc
	var looping sync.WaitGroup
	loop := func() {
		var ctx context.Context
		ctx, pause = context.WithCancel(context.Background())
		i := first
		looping.Go(func() {
			for l, err := range i.Launches(ctx) {
				if err != nil {
					return
				}
				say(report{What: "launch", PID: l.From.PID, Count: len(l.Args), Sum: sum(l.Args, l.Env, l.Payload), Dir: l.Dir})
			}
		})
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return err
		}
		switch o.Do {
		case "acquire":
			time.Sleep(time.Until(time.Unix(0, o.At)))
			i, r := o.acquire()
			if first = i; i != nil {
				loop()
			}
			say(r)
		case "hold": // without a loop
			i, r := o.acquire()
			first = i
			say(r)
		case "loop":
			loop()
		case "pause":
			pause()
			looping.Wait()
			say(report{What: "paused"})
		case "close":
			r := report{What: "closed"}
			if err := first.Close(); err != nil {
				r.Error = err.Error()
			}
			looping.Wait()
			say(r)
		}
	}
	return nil
}

func (o *order) acquire() (*instance.Instance, report) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if o.Patience != 0 {
		ctx, cancel = context.WithTimeout(ctx, o.Patience)
	}
	defer cancel()
	var args []string
	for _, a := range o.Args {
		args = append(args, string(a))
	}
	i, err := instance.Acquire(ctx, o.Name, instance.Args(args...), instance.Env(o.Env...))
	return i, judge(err)
}

// judge says which of the outcomes an error is.
func judge(err error) report {
	r := report{What: "failed"}
	running := (*instance.RunningError)(nil)
	if errors.As(err, &running) {
		r.PID = running.First.PID
	}
	switch {
	case err == nil:
		return report{What: "first", PID: os.Getpid()}
	case errors.Is(err, partywall.ErrRunning) && !errors.Is(err, partywall.ErrUnreachable):
		r.What = "running"
	case errors.Is(err, partywall.ErrUnreachable) && !errors.Is(err, partywall.ErrRunning):
		r.What = "unreachable"
	}
	r.Error = err.Error()
	return r
}

// sum tells launches apart, and whether one has arrived unchanged.
func sum(args, env []string, payload []byte) string {
	h := sha256.New()
	add := func(b []byte) { h.Write(append(binary.AppendUvarint(nil, uint64(len(b))), b...)) }
	add(payload)
	for _, list := range [][]string{args, env} {
		h.Write(binary.AppendUvarint(nil, uint64(len(list))))
		for _, s := range list {
			add([]byte(s))
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// tell gives a player an order.
func tell(t testing.TB, p *proctest.Process, o order) {
	t.Helper()
	line, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	p.Say("%s", line)
}

// hear returns the next report of a player that says one of these.
func hear(t testing.TB, p *proctest.Process, what ...string) (r report) {
	t.Helper()
	line := p.Line()
	if err := json.NewDecoder(bytes.NewReader([]byte(line))).Decode(&r); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	for _, w := range what {
		if r.What == w {
			return r
		}
	}
	t.Fatalf("it says %+v, not %s", r, strings.Join(what, " or "))
	return r
}

// startFirst starts a process that is the first instance.
func startFirst(t testing.TB, name string) *proctest.Process {
	t.Helper()
	p := proctest.Start(t, "player")
	tell(t, p, order{Do: "acquire", Name: name})
	if r := hear(t, p, "first"); r.PID != p.PID() {
		t.Fatalf("it says %+v and is process %d", r, p.PID())
	}
	return p
}

// wantErr checks that err wraps each target, and is one line.
func wantErr(t testing.TB, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Fatalf("%v; want an error that wraps %q", err, target)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("not one line: %q", err)
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

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// until waits for what must come true, where there is no event to wait for.
func until(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(proctest.Watchdog); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come true")
		}
	}
}
