package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/measure"
	"github.com/partywall/partywall/bench/internal/process"
	"github.com/partywall/partywall/bench/internal/report"
	"github.com/partywall/partywall/internal/proctest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == process.Argument {
		main()
		return
	}
	proctest.Main(m, nil)
}

// run runs the command, and returns what it prints.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// empty gives the test a temporary directory, and checks that the run leaves nothing there.
func empty(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := filepath.Glob(filepath.Join(dir, "partywall-bench-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

// One short run of all that this machine can do, in JSON, with charts and goals, and nothing left behind.
func TestWholeRun(t *testing.T) {
	empty(t)
	leaks := proctest.Watch(t)
	dir := t.TempDir()
	file, charts := filepath.Join(dir, "r.json"), filepath.Join(dir, "charts")
	out, err := run(t, "--rounds", "2", "--round-time", "2ms", "--idle-time", "1ms", "--heap", "1",
		"--sizes", "64,65536", "--goroutines", "1,3", "--rates", "1000", "--goals", "--json", file, "--charts", charts)
	if err != nil {
		t.Fatal(err)
	}
	leaks.Check()
	for _, want := range []string{"64 KiB, 1 goroutine\n", "64 B, 3 goroutines\n", "1,000 calls/s asked for", "with a deadline", "partywall Lease", "gRPC", "idle for", "a section of 64 B", "GOAL", "This machine was"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, e := range contender.All() {
		s := r.Find(e.Name, report.Cell{Size: 64, Goroutines: 1})
		if s == nil || len(s.Rounds) != 2 || s.Median.PerSecond <= 0 {
			t.Errorf("%s: %+v", e.Name, s)
		}
	}
	for _, module := range []string{"go", "google.golang.org/grpc", "github.com/nats-io/nats.go", "github.com/nats-io/nats-server/v2"} {
		if r.Versions[module] == "" {
			t.Errorf("no version of %s in %v", module, r.Versions)
		}
	}
	if got, _ := filepath.Glob(filepath.Join(charts, "*.svg")); len(got) != 4 {
		t.Errorf("charts: %v", got)
	}

	again, err := run(t, "--from", file, "--goals")
	if err != nil || again != out {
		t.Errorf("--from prints something else, or %v:\n%s", err, again)
	}
	if _, err := run(t, "--from", file, "--goals", "--strict"); err == nil {
		t.Error("so short a run meets all goals")
	}
}

// Who is interrupted leaves no process and no file.
func TestInterrupted(t *testing.T) {
	empty(t)
	leaks := proctest.Watch(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := measure.Run(ctx, measure.Plan{
		Settings: report.Settings{Rounds: 1000, RoundTime: 10 * time.Millisecond},
		Cells:    []report.Cell{{Size: 64, Goroutines: 2}},
		Only:     []string{"partywall", "socket", "dispatcher"},
		Progress: func(done, _ int, _ string) {
			if done == 4 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted run returns %v", err)
	}
	leaks.Check()
}

func TestWrongUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--rounds 0", "--rounds 0"},
		{"--round-time 1us", "--round-time"},
		{"--idle-time -1s", "--idle-time"},
		{"--heap -1", "--heap"},
		{"--sizes 64,0", "--sizes 0"},
		{"--sizes 99999999", "--sizes 99999999"},
		{"--goroutines 5000", "--goroutines 5000"},
		{"--rates 0", "--rates 0"},
		{"--only carrier-pigeon", "contenders are partywall"},
		{"--strict", "--goals"},
		{"--from /nowhere/r.json", "/nowhere/r.json"},
		{"more", "unknown command"},
	} {
		_, err := run(t, strings.Fields(c.args)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, which does not say %q", c.args, err, c.want)
		}
	}
}
