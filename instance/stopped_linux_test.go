package instance_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

// stop stops a process, and waits until each of its threads is.
func stop(t *testing.T, p *proctest.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Signal(syscall.SIGCONT) })
	until(t, func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.PID()))
		if err != nil || len(threads) == 0 {
			t.Fatal(threads, err)
		}
		for _, path := range threads {
			stat, err := os.ReadFile(path)
			if err == nil && !bytes.Contains(stat, []byte(") T ")) { // proc_pid_stat(5)
				return false
			}
		}
		return true
	})
}

// A first instance that is stopped cannot be reached, within the time that there is. When it runs
// again, it is not given what has been given up meanwhile.
func TestStopped(t *testing.T) {
	prepare(t)
	p := startFirst(t, "stopped")
	stop(t, p)
	_, err := instance.Acquire(within(t, 300*time.Millisecond), "stopped", instance.Args("given up"))
	unreachable(t, err, p.PID(), context.DeadlineExceeded)
	wantText(t, err, "stopped", "it has not answered in time")
	t.Cleanup(instance.SetPatience(300 * time.Millisecond))
	_, err = instance.Acquire(context.Background(), "stopped", instance.Args("given up"))
	unreachable(t, err, p.PID(), os.ErrDeadlineExceeded)

	if err := p.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	_, err = instance.Acquire(within(t, proctest.Watchdog), "stopped", instance.Args("now"))
	wantErr(t, err, partywall.ErrRunning)
	if r := hear(t, p, "launch"); r.Sum != sum([]string{"now"}, nil, nil) {
		t.Errorf("it has been given %+v", r)
	}
}

// One that is stopped with the launch before it, and killed so, is followed by the sender.
func TestKilledWhileStopped(t *testing.T) {
	prepare(t)
	p := startFirst(t, "stopkill")
	stop(t, p)
	time.AfterFunc(100*time.Millisecond, p.Kill)
	i, err := instance.Acquire(within(t, proctest.Watchdog), "stopkill")
	if err != nil {
		t.Fatal(err)
	}
	i.Close()
}
