package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/doctor"
)

// What the doctor says about a conn is what a conn is.
func TestDoctorKnowsConns(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const conns = 20
	srv, err := call.Listen("many", call.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	before := descriptorsOpen(t)
	for range conns {
		conn, err := call.Dial(t.Context(), "many", call.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
	want := 2 * conns // one on each side
	got := 0
	for deadline := time.Now().Add(watchdog); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if got = descriptorsOpen(t) - before; got == want {
			break
		}
	}
	if got != want {
		t.Errorf("%d conns take %d descriptors, want %d", conns, got, want)
	}
	sizes := controlRegions(t)
	if len(sizes) != 2*conns {
		t.Errorf("%d conns take %d mappings, want %d", conns, len(sizes), 2*conns)
	}
	for _, size := range sizes {
		if size != doctor.ControlSize {
			t.Errorf("a conn has %d bytes, the doctor tries %d", size, doctor.ControlSize)
		}
	}
}

func descriptorsOpen(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// controlRegions returns the sizes of the control regions that are mapped here.
func controlRegions(t *testing.T) (sizes []int64) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		if !strings.Contains(line, "/memfd:partywall-control") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, to-from)
	}
	return sizes
}

// Whatever the limit of open files, there is an answer in order. With less than
// these not even the dynamic linker has what it needs.
func TestDoctorFewDescriptors(t *testing.T) {
	for limit := 5; limit <= 40; limit++ {
		out, status := doctorBelow(t, limit)
		var report doctorReport
		if err := json.Unmarshal(out, &report); err != nil {
			t.Fatalf("%d descriptors: exit status %d, %v\n%s", limit, status, err, out)
		}
		if (status == 0) != report.Works || status > 1 {
			t.Errorf("%d descriptors: exit status %d, works: %v", limit, status, report.Works)
		}
		switch first := report.Findings[0]; {
		case first.ID != "descriptors" || first.Status == doctor.OK:
			t.Errorf("%d descriptors: %+v", limit, first)
		case first.Status == doctor.Warning && !report.Works:
			t.Errorf("%d descriptors are said to be enough:\n%s", limit, out)
		case first.Status == doctor.Failed && len(report.StoppedBy) != 1:
			t.Errorf("%d descriptors: %q", limit, report.StoppedBy)
		}
	}
}

// doctorBelow runs doctor --json with a limit of open files.
func doctorBelow(t *testing.T, limit int) (out []byte, status int) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", `ulimit -n "$1" && exec "$2" doctor --json`, "sh", strconv.Itoa(limit), binary)
	cmd.Env = append(os.Environ(), mainVariable+"=1", "TMPDIR="+tmp, "PARTYWALL_DIR=", "XDG_RUNTIME_DIR=")
	out, err = cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if files := filesIn(tmp); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
	return out, cmd.ProcessState.ExitCode()
}

// An interrupted doctor says so, and leaves nothing.
func TestDoctorInterrupted(t *testing.T) {
	catch(t)
	for range 10 {
		p := startProgram(t, "doctor")
		p.signal(p.Process.Pid, syscall.SIGTERM)
		// The signal comes before it is caught, in the middle, or too late.
		switch status := p.end(); status {
		case 0, -1:
		case 1:
			if got := p.stderr.String(); got != "partywall: interrupted\n" || bytes.Contains(p.stdout.Bytes(), []byte("Calls")) {
				t.Errorf("it says %q and prints %s", got, &p.stdout)
			}
		default:
			t.Errorf("exit status %d", status)
		}
	}
}
