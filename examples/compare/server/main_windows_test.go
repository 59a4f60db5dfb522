package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/winmsg"
)

func TestMain(m *testing.M) {
	proctest.Main(m, proctest.Roles{
		"server": func([]string) error {
			main()
			return nil
		},
		"interrupted": serveInterrupted,
	})
}

// titleOf is a window's title that no other test has.
func titleOf(t *testing.T) string { return fmt.Sprintf("%s %d", t.Name(), os.Getpid()) }

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), proctest.Watchdog)
	t.Cleanup(cancel)
	return ctx
}

// startServer starts the server in a process of its own and opens its window.
func startServer(t *testing.T) (*proctest.Process, *winmsg.Window) {
	t.Helper()
	p := proctest.StartAs(t, func(cmd *exec.Cmd) { cmd.Stderr = nil }, "server", "-title", titleOf(t))
	w, err := winmsg.Find(within(t), winmsg.Title(titleOf(t)), winmsg.PID(p.PID()), winmsg.Wait())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return p, w
}

// runC runs the C client against a server and returns what it prints.
func runC(t *testing.T, args ...string) string {
	t.Helper()
	dir := os.Getenv("PARTYWALL_C_PEERS")
	if dir == "" {
		t.Fatal("PARTYWALL_C_PEERS is not set: scripts/test-windows.sh builds the C programs that this test talks to and says so there")
	}
	out, err := exec.CommandContext(within(t), filepath.Join(dir, "compare-client.exe"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("compare-client %q: %v\n%s", args, err, out)
	}
	return string(bytes.TrimSpace(out))
}

// checkServes checks that the server answers as it should.
func checkServes(t *testing.T, w *winmsg.Window) {
	t.Helper()
	got, err := compare.AskInfo(within(t), w, compare.MyInfo{Red: 3333, Blue: 20.01})
	if want := (compare.MyInfo{Red: 2, Blue: 1}); err != nil || got != want {
		t.Errorf("the server answers %+v, %v, want %+v", got, err, want)
	}
}

func TestCClient(t *testing.T) {
	server, w := startServer(t)
	const good = "red=2.00,blue=1.00"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, good},
		{[]string{"--short"}, "answer -1"},
		{[]string{"--bad-address"}, "answer -1"},
		{[]string{"--read-only"}, "answer -1"},
		{[]string{"--repeat", "1000"}, good},
	} {
		if got := runC(t, append([]string{"--title", titleOf(t)}, tt.args...)...); got != tt.want {
			t.Errorf("%q: it prints %q, want %q", tt.args, got, tt.want)
		}
		if tt.want == good {
			if line := server.Line(); line != "client:red=3333.00,blue=20.01" {
				t.Errorf("the server prints %q", line)
			}
		}
	}
	checkServes(t, w)
}

// Two windows of one title would leave clients with the question which.
func TestTitleTaken(t *testing.T) {
	server, w := startServer(t)
	var said bytes.Buffer
	second := proctest.StartAs(t, func(cmd *exec.Cmd) { cmd.Stderr = &said }, "server", "-title", titleOf(t))
	err := second.Wait()
	want := fmt.Sprintf("is there already: %#x", w.Handle())
	if exit := (*exec.ExitError)(nil); !asExit(err, &exit) || exit.ExitCode() != 1 || strings.Count(said.String(), "\n") != 1 ||
		!strings.Contains(said.String(), want) || !strings.Contains(said.String(), fmt.Sprint("process ", server.PID())) {
		t.Errorf("the second server: %v, it says %q, want %q", err, said.String(), want)
	}
	checkServes(t, w)
}

func asExit(err error, exit **exec.ExitError) (ok bool) {
	*exit, ok = err.(*exec.ExitError)
	return ok
}

func TestBadUsage(t *testing.T) {
	for _, args := range [][]string{{"file"}, {"-unknown"}, {"-title"}} {
		err := proctest.StartAs(t, func(cmd *exec.Cmd) { cmd.Stderr = nil }, "server", args...).Wait()
		if exit := (*exec.ExitError)(nil); !asExit(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%q: %v, want exit status 2", args, err)
		}
	}
}

// The server ends well when its user closes the window.
func TestWindowClosed(t *testing.T) {
	server, w := startServer(t)
	if err := w.Post(winmsg.CloseNow, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
}

// The server ends well on Ctrl-C.
func TestInterrupted(t *testing.T) {
	const newConsole = 0x10 // CREATE_NEW_CONSOLE: the Ctrl-C reaches nobody else
	server := proctest.StartAs(t, func(cmd *exec.Cmd) {
		cmd.Stderr = nil
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: newConsole}
	}, "interrupted", "-title", titleOf(t))
	w, err := winmsg.Find(within(t), winmsg.Title(titleOf(t)), winmsg.Wait())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	checkServes(t, w)
	server.Say("Ctrl-C")
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
}

// serveInterrupted is the server, which presses Ctrl-C in its own console when it is told to.
func serveInterrupted([]string) error {
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		press := syscall.NewLazyDLL("kernel32.dll").NewProc("GenerateConsoleCtrlEvent")
		if ok, _, err := press.Call(syscall.CTRL_C_EVENT, 0); ok == 0 {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}()
	main()
	return nil
}
