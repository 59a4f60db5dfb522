package main

import (
	"bytes"
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

	"github.com/partywall/partywall/internal/proctest"
)

// TestMain: this binary's copies are the programs that their names say, see programs.
func TestMain(m *testing.M) {
	own, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	switch strings.TrimSuffix(filepath.Base(own), ".exe") {
	case "compare-client":
		main()
	case "compare-server", "server", "other":
		serveStandIn()
	default:
		proctest.Main(m, nil)
	}
}

// programs is a folder with copies of this test binary: the client, and servers that do what the
// server program does.
type programs string

// install copies this binary, to each of the names.
func install(t *testing.T, names ...string) programs {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := programs(t.TempDir())
	for _, name := range names {
		if err := copyFile(p.path(name), own); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// path returns where a program is.
func (p programs) path(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(string(p), name)
}

// start starts a server.
func (p programs) start(t *testing.T, name string, args ...string) *proctest.Process {
	t.Helper()
	return proctest.StartAs(t, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = p.path(name), append([]string{name}, args...)
		cmd.Stderr = nil
	}, name)
}

// finished is how the client ended.
type finished struct {
	status         int
	stdout, stderr string
}

// client runs the client.
func (p programs) client(t *testing.T, args ...string) finished {
	t.Helper()
	cmd := exec.Command(p.path("compare-client"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dog := time.AfterFunc(proctest.Watchdog, func() {
		t.Errorf("the client does not end")
		_ = cmd.Process.Kill()
	})
	defer dog.Stop()
	_ = cmd.Wait() // the state says more
	return finished{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// fails checks that the client failed and said so in one line.
func (f finished) fails(t *testing.T, status int, wanted ...string) {
	t.Helper()
	if f.status != status || f.stdout != "" || strings.Count(f.stderr, "\n") != 1 {
		t.Errorf("exit status %d, prints %q, says %q; want status %d and one line said", f.status, f.stdout, f.stderr, status)
	}
	for _, want := range wanted {
		if !strings.Contains(f.stderr, want) {
			t.Errorf("it says %q, want %q in it", f.stderr, want)
		}
	}
}
