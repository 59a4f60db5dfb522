package call_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

func sh(script string) []string { return []string{"sh", "-c", script} }

// A command that fails is reported at once, with its status and its last words.
func TestStartFails(t *testing.T) {
	for _, test := range []struct {
		what    string
		command []string
		want    error // besides ErrNotFound
		says    string
	}{
		{"no such program", []string{"partywall-no-such-program", "-x"}, exec.ErrNotFound, `start "partywall-no-such-program -x": `},
		{"no such file", []string{"/no/such/file"}, fs.ErrNotExist, `start "/no/such/file": `},
		{"not to be executed", []string{"/etc/passwd"}, fs.ErrPermission, `start "/etc/passwd": `},
		{"words", sh("echo one; echo two >&2; echo; echo 'no port left' >&2; exit 3"), nil, `: exit status 3; it said: one; two; no port left`},
		{"many words", sh("seq 100; exit 1"), nil, `: exit status 1; it said: 98; 99; 100`},
		{"no words", sh("exit 4"), nil, `: exit status 4; it said nothing`},
		{"nothing but lines", sh("printf '\n \n\r\n'; exit 4"), nil, `: exit status 4; it said nothing`},
		{"killed", sh("echo ouch; kill -9 $$"), nil, `: signal: killed; it said: ouch`},
		{"a screen", sh(`printf '\033[2J\033]0;mine\007\r\tbad \377 end'; exit 1`), nil, "; it said: [2J ]0;mine   bad ? end"},
		{"a megabyte", sh("head -c 1000000 /dev/zero | tr '\\0' x; exit 1"), nil, "xxx..."},
		{"a megabyte of lines", sh("yes word | head -c 1000000; exit 1"), nil, "; it said: word; word; word"},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := newStartTest(t)
			err := s.dialFails(t.Context(), call.Start(test.command...))
			if !errors.Is(err, partywall.ErrNotFound) || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v", err)
			}
			if exit := (*exec.ExitError)(nil); test.want == nil && !errors.As(err, &exit) {
				t.Error("no *exec.ExitError is in it")
			}
			s.wantFree()
			awaitNoChildren(t)
			// The next start is none the worse.
			conn, err := call.Dial(t.Context(), s.name, s.start())
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			s.wantStarted(1)
		})
	}
}

// A program of the working directory is not started by its bare name, as in os/exec.
func TestStartFindsNothingHere(t *testing.T) {
	s := newStartTest(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("prog", []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", ".")
	if err := s.dialFails(t.Context(), call.Start("prog")); !errors.Is(err, exec.ErrDot) || !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	s.wantFree()
}

// Nothing is started for an error that a server would not mend.
func TestStartIsNotTried(t *testing.T) {
	s := newStartTest(t)
	o := call.StartCommand(func() *exec.Cmd { t.Error("asked for a command"); return exec.Command("true") })
	if _, err := call.Dial(t.Context(), "No Name", o); !errors.Is(err, partywall.ErrName) {
		t.Error(err)
	}
	if err := os.Chmod(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.dialFails(t.Context(), o); !errors.Is(err, partywall.ErrAccess) {
		t.Error(err)
	}
	if err := os.Chmod(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.dialFails(ctx, o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, err := os.ReadDir(s.dir); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
	serveAccess(t) // a service that is there
	conn, err := call.Dial(t.Context(), accessName, o)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	t.Setenv("PARTYWALL_DIR", filepath.Join(s.dir, "below", "nothing"))
	if err := s.dialFails(t.Context(), o); !errors.Is(err, partywall.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
