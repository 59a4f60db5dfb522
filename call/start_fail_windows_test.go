package call_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func init() {
	call.RegisterRole("start words", func(args []string) error {
		words := map[string]func(){
			"words": func() {
				fmt.Println("one")
				fmt.Fprintln(os.Stderr, "two")
				fmt.Print("\n\nno port left\n")
			},
			"many": func() {
				for i := range 100 {
					fmt.Println(i + 1)
				}
			},
			"none":     func() {},
			"screen":   func() { fmt.Print("\x1b[2J\x1b]0;mine\a\r\tbad \xff end") },
			"megabyte": func() { fmt.Print(strings.Repeat("x", 1_000_000)) },
			"killed": func() {
				fmt.Println("ouch")
				_ = windows.TerminateProcess(windows.CurrentProcess(), 77)
			},
		}
		words[args[0]]()
		os.Exit(3)
		return nil
	})
}

// A command that fails is reported at once, with its status and its last words.
func TestStartFails(t *testing.T) {
	words := func(what string) call.DialOption {
		return call.StartCommand(func() *exec.Cmd {
			cmd := exec.Command(self(t), what)
			cmd.Env = append(os.Environ(), "PARTYWALL_PROCTEST_ROLE=start words")
			return cmd
		})
	}
	text := filepath.Join(t.TempDir(), "text.exe")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what    string
		command call.DialOption
		want    error // besides ErrNotFound
		says    string
	}{
		{"no such program", call.Start("partywall-no-such-program", "-x"), exec.ErrNotFound, `start "partywall-no-such-program -x": `},
		{"no such file", call.Start(`C:\no\such\file.exe`), fs.ErrNotExist, `file.exe": `},
		{"not to be executed", call.Start(text), windows.ERROR_BAD_EXE_FORMAT, `text.exe": `},
		{"words", words("words"), nil, `: exit status 3; it said: one; two; no port left`},
		{"many words", words("many"), nil, `: exit status 3; it said: 98; 99; 100`},
		{"no words", words("none"), nil, `: exit status 3; it said nothing`},
		{"a screen", words("screen"), nil, "; it said: [2J ]0;mine   bad ? end"},
		{"a megabyte", words("megabyte"), nil, "xxx..."},
		{"killed", words("killed"), nil, `: exit status 77; it said: ouch`},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := newStartTest(t)
			err := s.dialFails(t.Context(), test.command)
			if !errors.Is(err, partywall.ErrNotFound) || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v", err)
			}
			if exit := (*exec.ExitError)(nil); test.want == nil && !errors.As(err, &exit) {
				t.Error("no *exec.ExitError is in it")
			}
			s.wantFree()
		})
	}
}

// A server that never answers is left to itself, and keeps everybody else from
// starting another, who is told which process it is. Its death is the next client's turn.
func TestStartNeverServes(t *testing.T) {
	s := newStartTest(t)
	restore := call.SetStartTimeout(3 * time.Second)
	defer restore()
	_, err := call.Dial(t.Context(), s.name, s.start("START_LISTEN=100s"))
	if err == nil {
		t.Fatal("served")
	}
	e := s.wantStarted(1)
	for _, want := range []string{fmt.Sprintf("process %d", e.pid), "not answered in time", s.file("log")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q in it", err, want)
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	if !s.taken() {
		t.Error("the start lock is free")
	}
	call.SetStartTimeout(300 * time.Millisecond)
	err = s.dialFails(t.Context(), s.start())
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), fmt.Sprintf("another client has started process %d", e.pid)) {
		t.Error(err)
	}
	s.wantStarted(1)

	call.SetStartTimeout(proctest.Watchdog)
	time.AfterFunc(50*time.Millisecond, func() { s.kill(e.pid)() })
	conn, err := call.Dial(t.Context(), s.name, s.start())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if e := s.wantStarted(2); conn.Peer().PID != e.pid {
		t.Errorf("%v serves, not %d", conn.Peer(), e.pid)
	}
	s.wantFree()
}

// A server that is started has an output of its own, the directory and environment of its client,
// and the start lock only until it listens.
func TestStartedServer(t *testing.T) {
	s := newStartTest(t)
	here := t.TempDir()
	t.Chdir(here)
	t.Setenv("PARTYWALL_DIR", `C:\nowhere`)
	leaks := proctest.Watch(t)
	relative, err := filepath.Rel(here, s.dir)
	if err != nil {
		t.Fatal(err)
	}
	pid := s.dial(call.Dir(relative), s.start("START_SAYS_MORE=1"))
	t.Setenv("PARTYWALL_DIR", s.dir)
	said, err := os.ReadFile(s.file("log"))
	for _, want := range []string{`the variable is ""`, "the run directory is " + s.dir, "it runs in " + here} {
		if err != nil || !strings.Contains(string(said), want) {
			t.Errorf("%q, %v; want %q", said, err, want)
		}
	}
	s.wantFree()
	s.end(pid)
	leaks.Check()
	t.Chdir(s.dir) // or the one before cannot be removed
}
