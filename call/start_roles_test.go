//go:build linux || windows

package call_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/rendezvous"
)

var whoM = call.NewMethod[struct{}, int64]("who") // answers with the server's process id

func init() {
	call.RegisterRole("start server", startServer)
	call.RegisterRole("start client", startClient)
}

// A startTest is a run directory of the test's own, and the servers that were
// started there.
type startTest struct {
	t    *testing.T
	dir  string // the run directory
	book string // where each server enters itself
	name string
}

func newStartTest(t *testing.T) *startTest {
	t.Helper()
	s := &startTest{t: t, dir: runDir(t), name: "start/test"}
	s.book = filepath.Join(t.TempDir(), "book")
	warmPoller(t)
	t.Cleanup(func() {
		for _, e := range s.started() {
			s.end(e.pid)
		}
	})
	return s
}

// command is the server as a command.
func (s *startTest) command(env ...string) *exec.Cmd { return serverCommand(s.name, s.book, env...) }

func serverCommand(name, book string, env ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self, name, book)
	cmd.Env = append(os.Environ(), "PARTYWALL_PROCTEST_ROLE=start server", "GORACE=atexit_sleep_ms=0")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// start is the option that starts the server.
func (s *startTest) start(env ...string) call.DialOption {
	return call.StartCommand(func() *exec.Cmd { return s.command(env...) })
}

// startServer enters itself in the book, listens, and serves until it is killed. How
// it does so is said in the environment: START_LISTEN and START_SERVE are how long it
// takes to listen and then to serve.
func startServer(args []string) error {
	name, book := args[0], args[1]
	f, err := os.OpenFile(book, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, os.Getpid(), os.Getppid()); err != nil {
		return err
	}
	f.Close()
	time.AfterFunc(4*proctest.Watchdog, func() { os.Exit(9) }) // should the test be killed
	linger("START_LISTEN")
	srv, err := call.Listen(name)
	if err != nil {
		return err
	}
	whoM.Handle(srv, func(_ context.Context, _ *call.In[struct{}], out *call.Out[int64]) error {
		out.Result = int64(os.Getpid())
		return nil
	})
	fmt.Printf("listening; the variable is %q\n", os.Getenv("PARTYWALL_START_LOCK"))
	if os.Getenv("START_SAYS_MORE") != "" {
		here, err := os.Getwd()
		fmt.Printf("the run directory is %s\nit runs in %s, %v\n", os.Getenv("PARTYWALL_DIR"), here, err)
	}
	linger("START_SERVE")
	return srv.Serve(context.Background())
}

func linger(variable string) {
	if d, err := time.ParseDuration(os.Getenv(variable)); err == nil {
		time.Sleep(d)
	}
}

// startClient dials, and starts the server if it is missing, whenever its standard
// input says so: "dial OLD", where OLD is the process id of a server that is dying and whose
// answer does not count. It says who has answered.
func startClient(args []string) error {
	name, book := args[0], args[1]
	endBySignals()
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		old, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "dial "))
		if err != nil {
			return err
		}
		pid, err := askNewer(old, func(ctx context.Context) (*call.Conn, error) {
			return call.Dial(ctx, name, call.StartCommand(func() *exec.Cmd { return serverCommand(name, book) }))
		})
		if err != nil {
			fmt.Println("failed", err)
			continue
		}
		fmt.Println("served", pid)
	}
	return nil
}

// askNewer dials and asks who serves, until it is another than old.
func askNewer(old int, dial func(context.Context) (*call.Conn, error)) (pid int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	for {
		conn, err := dial(ctx)
		if err != nil {
			return 0, err
		}
		got, err := whoM.Call(ctx, conn, struct{}{})
		peer := conn.Peer().PID
		conn.Close()
		switch {
		case peer == old && (err == nil || errors.Is(err, partywall.ErrPeerGone)):
			continue
		case err != nil:
			return 0, fmt.Errorf("call to process %d: %w", peer, err)
		case int(got) != peer:
			return 0, fmt.Errorf("process %d answers for %d", got, peer)
		}
		return peer, nil
	}
}

// An entry is a server that was started, and by whom.
type entry struct{ pid, parent int }

// started returns the servers that were ever started.
func (s *startTest) started() (all []entry) {
	s.t.Helper()
	text, err := os.ReadFile(s.book)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e entry
		if _, err := fmt.Sscan(line, &e.pid, &e.parent); err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

// wantStarted checks how many servers were ever started, and returns the newest.
func (s *startTest) wantStarted(n int) entry {
	s.t.Helper()
	all := s.started()
	if len(all) != n {
		s.t.Fatalf("%d servers were started, not %d: %v", len(all), n, all)
	}
	return all[n-1]
}

// end kills a server that was started, and waits for its end.
func (s *startTest) end(pid int) { s.kill(pid)() }

// taken reports whether somebody has the start lock.
func (s *startTest) taken() bool {
	s.t.Helper()
	lock, err := rendezvous.TryStartLock(rendezvous.Place{}, s.name)
	if err == nil {
		err = lock.Unlock()
	}
	if err != nil && !errors.Is(err, rendezvous.ErrStarting) {
		s.t.Fatal(err)
	}
	return err != nil
}

// wantFree checks that nobody has the start lock.
func (s *startTest) wantFree() {
	s.t.Helper()
	if s.taken() {
		s.t.Error("the start lock is taken")
	}
}

// file returns the name's file in the run directory.
func (s *startTest) file(ending string) string {
	s.t.Helper()
	found, err := filepath.Glob(filepath.Join(s.dir, "*."+ending))
	if err != nil || len(found) != 1 {
		s.t.Fatal(found, err)
	}
	return found[0]
}
