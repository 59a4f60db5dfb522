// Package proctest lets a test run its own binary again as another process, in a
// role, so that tests about processes use processes; and it checks that a test
// leaves nothing behind.
//
//	func TestMain(m *testing.M) {
//		proctest.Main(m, proctest.Roles{"server": serve})
//	}
//
//	func TestKilled(t *testing.T) {
//		leaks := proctest.Watch(t)
//		server := proctest.Start(t, "server", "name")
//		server.Expect("ready")
//		server.Kill()
//		…
//		leaks.Check()
//	}
package proctest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Watchdog is how long a test waits for something that must happen. It is no
// measure of speed: it only turns a hang into a failure.
const Watchdog = 30 * time.Second

// Roles are what the test binary can be as another process. A role talks on its
// standard input and output, and its error is the process's failure.
type Roles map[string]func(args []string) error

const roleVariable = "PARTYWALL_PROCTEST_ROLE"

// Main is a test binary's main: it runs the role that [Start] asked for, or else
// the tests.
func Main(m *testing.M, roles Roles) {
	name, ok := os.LookupEnv(roleVariable)
	if !ok {
		os.Exit(run(m))
	}
	role := roles[name]
	if role == nil {
		fmt.Fprintf(os.Stderr, "proctest: no role %q\n", name)
		os.Exit(2)
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "role %s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run runs the tests, and the processes that they start, in a run directory of
// their own: a service of the user's is none of theirs.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "partywall-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "proctest:", err)
		return 2
	}
	defer os.RemoveAll(dir)
	os.Setenv("PARTYWALL_DIR", filepath.Join(dir, "run"))
	return m.Run()
}

// A Process is this test binary in a role.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	role  string
	in    io.WriteCloser
	lines chan string

	wait sync.Once
	err  error
}

// Start starts a role. It is killed when the test ends, if it still runs.
func Start(t testing.TB, role string, args ...string) *Process {
	t.Helper()
	return StartAs(t, nil, role, args...)
}

// StartAs is Start with a change to the command before it starts, such as
// another user's credentials.
func StartAs(t testing.TB, change func(*exec.Cmd), role string, args ...string) *Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	// The race detector would have every child sleep for a second at its end.
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	if change != nil {
		change(cmd)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start role %s: %v", role, err)
	}
	p := &Process{t: t, cmd: cmd, role: role, in: in, lines: make(chan string, 1024)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		p.Kill()
		p.Wait()
	})
	return p
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Lines returns what the process prints, line by line, until it ends.
func (p *Process) Lines() <-chan string { return p.lines }

// Line returns the next line that the process prints; the test fails if none comes.
func (p *Process) Line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("role %s ended: %v", p.role, p.Wait())
		}
		return line
	case <-time.After(Watchdog):
		p.t.Fatalf("role %s is silent", p.role)
	}
	return ""
}

// Expect reads lines until one has the prefix, and returns what follows it.
func (p *Process) Expect(prefix string) string {
	p.t.Helper()
	for {
		if rest, ok := strings.CutPrefix(p.Line(), prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
}

// Say sends a line to the process.
func (p *Process) Say(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		p.t.Fatalf("role %s: %v", p.role, err)
	}
}

// Kill ends the process with SIGKILL, at whatever instruction it is.
func (p *Process) Kill() { _ = p.cmd.Process.Kill() }

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Wait waits for the process's end. A process that was told to end but does not is a
// failure.
func (p *Process) Wait() error {
	p.wait.Do(func() {
		p.in.Close()
		dog := time.AfterFunc(Watchdog, func() {
			p.t.Errorf("role %s does not end", p.role)
			p.Kill()
		})
		defer dog.Stop()
		for range p.lines { // the pipe is read to its end before Wait closes it
		}
		p.err = p.cmd.Wait()
	})
	return p.err
}
