package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// inOwnDirectory makes this process's children its own program, with a temporary
// directory that is checked at the end.
func inOwnDirectory(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	leaks := proctest.Watch(t)
	tmp := t.TempDir()
	t.Setenv(mainVariable, "1")
	t.Setenv("TMPDIR", tmp)
	t.Setenv("PARTYWALL_DIR", "") // which a child's start sets: the test's end sets it back
	t.Cleanup(func() {
		for _, file := range filesIn(tmp) {
			t.Errorf("left behind: %s", file)
		}
		leaks.Check()
	})
}

func TestChildServes(t *testing.T) {
	inOwnDirectory(t)
	c, err := startChild(t.Context(), "bench", "serve-child")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := call.Dial(t.Context(), childService, call.Expect(usageMethod))
	if err != nil {
		t.Fatal(errors.Join(err, c.stop(nil)))
	}
	if conn.Peer().PID != c.pid() || c.pid() == os.Getpid() {
		t.Errorf("process %d serves, %d was started by %d", conn.Peer().PID, c.pid(), os.Getpid())
	}
	if u, err := usageMethod.Call(t.Context(), conn, struct{}{}); err != nil || u.Threads < 1 {
		t.Errorf("usage %+v, %v", u, err)
	}
	conn.Close()
	if err := c.stop(nil); err != nil {
		t.Error(err)
	}
}

// A conn that is open does not keep the child.
func TestChildStopsUnderConns(t *testing.T) {
	inOwnDirectory(t)
	c, err := startChild(t.Context(), "demo", "serve-child")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := call.Dial(t.Context(), childService)
	if err != nil {
		t.Fatal(errors.Join(err, c.stop(nil)))
	}
	defer conn.Close()
	if err := c.stop(nil); err != nil {
		t.Error(err)
	}
	<-conn.Done()
}

func TestChildStopReturnsTheWorksError(t *testing.T) {
	inOwnDirectory(t)
	c, err := startChild(t.Context(), "bench", "serve-child")
	if err != nil {
		t.Fatal(err)
	}
	work := errors.New("work")
	if err := c.stop(work); err != work {
		t.Errorf("got %v, want %v", err, work)
	}
}

func TestChildKilled(t *testing.T) {
	for _, tt := range []struct {
		work error
		want string
	}{
		{nil, "the server process failed: "},
		{fmt.Errorf("call: %w", partywall.ErrPeerGone), "the server process failed: "},
		{errors.New("work"), "work"},
	} {
		inOwnDirectory(t)
		c, err := startChild(t.Context(), "bench", "serve-child")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := c.stop(tt.work); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestChildDoesNotStart(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"silent end", `exit 3`, "the server process does not start: it ends at once"},
		{"an error", `echo 'partywall: no luck' >&2; exit 1`, "the server process does not start: no luck"},
		{"two lines", `printf 'first\nsecond\n' >&2; exit 1`, "the server process does not start: second"},
		{"another program", `echo hello; exec cat`, `the server process does not start: it says "hello"`},
		{"half a line", `printf ready`, "the server process does not start: it ends at once"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inOwnDirectory(t)
			_, err := launch(t.Context(), exec.Command("sh", "-c", tt.script))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	t.Run("no program", func(t *testing.T) {
		inOwnDirectory(t)
		if _, err := launch(t.Context(), exec.Command(filepath.Join(t.TempDir(), "none"))); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

// Who is interrupted does not wait for a child that says nothing.
func TestChildSilent(t *testing.T) {
	inOwnDirectory(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := launch(ctx, exec.Command("cat"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A program that a child has left behind, with the child's standard error, is not waited for.
func TestChildsErrorsStayOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a shell")
	}
	c, err := spawn(t.Context(), exec.Command("sh", "-c", `sleep 600 >/dev/null & printf 'ready "%s"\n' $!; exec cat`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("kill", c.ready).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	stopped := make(chan error, 1)
	go func() { stopped <- c.stop(nil) }()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(watchdog):
		t.Error("stop waits for it")
	}
}

// The child's end is that of its standard input, whatever its handlers do.
func TestChildLeavesAHandler(t *testing.T) {
	inOwnDirectory(t)
	hang := call.NewMethod[struct{}, struct{}]("hang")
	entered, release := make(chan struct{}), make(chan struct{})
	handle := func(srv *call.Server) {
		hang.Handle(srv, func(context.Context, *call.In[struct{}], *call.Out[struct{}]) error {
			close(entered)
			<-release
			return nil
		})
	}
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetIn(in)
	cmd.SetOut(out)
	ended := make(chan error, 1)
	go func() { ended <- serve(cmd, handle, nil) }() // sets PARTYWALL_DIR
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	conn, err := call.Dial(t.Context(), childService)
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan error, 1)
	go func() {
		_, err := hang.Call(t.Context(), conn, struct{}{})
		called <- err
	}()
	<-entered
	stdin.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a handler that does not return is no error")
		}
	case <-time.After(watchdog):
		t.Error("it waits for the handler")
	}
	close(release)
	if err := <-called; err == nil {
		t.Error("the call has a result")
	}
	conn.Close()
}
