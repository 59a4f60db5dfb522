package call_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// A server that never answers is left to itself, and keeps everybody else from
// starting another, who is told which process it is.
func TestStartNeverServes(t *testing.T) {
	s := newStartTest(t)
	defer call.SetStartTimeout(300 * time.Millisecond)()
	o := call.Start(sh(fmt.Sprintf("echo $$ $PPID >>%s; echo thinking; exec sleep 100 # %[1]s", s.book))...)

	leaks := proctest.Watch(t)
	_, err := call.Dial(t.Context(), s.name, o)
	if err == nil {
		t.Fatal("served")
	}
	e := s.wantStarted(1)
	defer syscall.Kill(e.pid, syscall.SIGKILL)
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

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = s.dialFails(short, s.start())
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), fmt.Sprintf("another client has started process %d", e.pid)) {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := s.dialFails(cancelled, s.start()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.wantStarted(1)

	// Its death is the next client's turn, while it waits.
	call.SetStartTimeout(proctest.Watchdog)
	sleeper := e.pid
	time.AfterFunc(50*time.Millisecond, func() { syscall.Kill(sleeper, syscall.SIGKILL) })
	conn, err := call.Dial(t.Context(), s.name, s.start())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if e = s.wantStarted(2); conn.Peer().PID != e.pid {
		t.Errorf("%v serves, not %d", conn.Peer(), e.pid)
	}
	s.wantFree()
	s.end(e.pid)
	leaks.Check()
	awaitNoChildren(t)
}

// A command that ends well, and nobody serves.
func TestStartLeavesNobody(t *testing.T) {
	s := newStartTest(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := s.dialFails(ctx, call.Start("true"))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), "ended without a failure") {
		t.Error(err)
	}
	s.wantFree()
}

// Where the kernel takes the children away, how the server has ended is not known.
func TestStartEndIsNotKnown(t *testing.T) {
	s := newStartTest(t)
	signal.Ignore(syscall.SIGCHLD)
	t.Cleanup(func() { // Reset would leave it ignored
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGCHLD)
		signal.Stop(c)
	})
	for _, command := range []string{"true", "false"} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		err := s.dialFails(ctx, call.Start(command))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), "it has ended, how is not known") {
			t.Error(err)
		}
		s.wantFree()
	}
	// A server that comes up is found all the same, and one that was left behind too.
	conn, err := call.Dial(t.Context(), s.name, s.start())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	s.end(s.wantStarted(1).pid)
}

// What a command that has failed leaves running does not keep the lock.
func TestStartFailsAndLeavesSomething(t *testing.T) {
	s := newStartTest(t)
	err := s.dialFails(t.Context(), call.Start(sh(fmt.Sprintf("sleep 100 & echo $! $$ >>%s; exit 3", s.book))...))
	if !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	s.wantFree()
	if err := syscall.Kill(s.wantStarted(1).pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// Waiting clients whose commands all fail start them one after the other, each once.
func TestStartFailsForAll(t *testing.T) {
	s := newStartTest(t)
	const clients = 16
	o := call.Start(sh(fmt.Sprintf("echo $$ $PPID >>%s; mkdir %[1]s.alone || exit 7; sleep 0.01; rmdir %[1]s.alone; exit 3", s.book))...)
	leaks := proctest.Watch(t)
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			_, err := call.Dial(t.Context(), s.name, o)
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 3 {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s.wantStarted(clients)
	s.wantFree()
	leaks.Check()
}
