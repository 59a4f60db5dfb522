package call_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/proctest"
)

const (
	startClients, startRounds     = 64, 30 // that race
	startSlowly                   = 10     // rounds, where each takes seconds
	startVictims, startGoroutines = 25, 64
)

// signalled is the exit status of a client that ends by a signal, less its number.
const signalled = 100

// endBySignals ends this process as a signal would, and says by which.
func endBySignals() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGHUP) // or it would ignore what the test ignores
	go func() { os.Exit(signalled + int((<-signals).(unix.Signal))) }()
}

// kill kills a server that was started, and returns at once. What is returned waits
// for its end.
func (s *startTest) kill(pid int) (wait func()) {
	s.t.Helper()
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !strings.Contains(string(line), s.book) {
		return func() {} // it has ended, and the number may be another's by now
	}
	wait = s.watch(pid)
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		s.t.Fatal(err)
	}
	return wait
}

// watch returns what waits for a process's end.
func (s *startTest) watch(pid int) (wait func()) {
	s.t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return func() {}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return func() {
		defer unix.Close(fd)
		// pidfd_open(2): it is readable when the process has ended.
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(polled, int(proctest.Watchdog.Milliseconds()))
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if n != 1 || err != nil {
				s.t.Errorf("process %d does not end: %v", pid, err)
			}
			return
		}
	}
}

// awaitNoChildren checks that every process which this one has started is reaped
// in time.
func awaitNoChildren(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(proctest.Watchdog); ; time.Sleep(time.Millisecond) {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if errors.Is(err, unix.ECHILD) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a child process is left: waitid says %v", err)
		}
	}
}
