package call_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/proctest"
)

// Under Wine, a process takes a second to start.
const (
	startClients, startRounds     = 8, 4 // that race
	startSlowly                   = 4    // rounds, where each takes seconds
	startVictims, startGoroutines = 20, 16
)

// endBySignals has no signals to wait for.
func endBySignals() {}

// kill kills a server that was started, and returns at once. What is returned waits
// for its end.
func (s *startTest) kill(pid int) (wait func()) {
	s.t.Helper()
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_TERMINATE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return func() {} // it has ended
	}
	if err != nil {
		s.t.Fatal(err)
	}
	path := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(path))
	if err := windows.QueryFullProcessImageName(h, 0, &path[0], &n); err != nil || !strings.EqualFold(windows.UTF16ToString(path[:n]), self(s.t)) {
		windows.CloseHandle(h)
		return func() {} // the number is another's by now
	}
	if err := windows.TerminateProcess(h, 1); err != nil && !errors.Is(err, windows.ERROR_ACCESS_DENIED) { // it is ending
		s.t.Fatal(err)
	}
	return func() {
		defer windows.CloseHandle(h)
		if what, err := windows.WaitForSingleObject(h, uint32(proctest.Watchdog.Milliseconds())); what != windows.WAIT_OBJECT_0 {
			s.t.Errorf("process %d does not end: %v", pid, err)
		}
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitNoChildren has nothing to look for: what is kept of a process that has ended is a handle, and
// handles are counted.
func awaitNoChildren(*testing.T) {}
