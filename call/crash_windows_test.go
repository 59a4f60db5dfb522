package call_test

import (
	"os"
	"testing"
)

// Under Wine, a round takes as long as ten on Linux.
const (
	crashRounds = 16
	crashPace   = 4 // multiplies the time after which a process is killed
)

// wasKilled reports whether a process was ended by TerminateProcess, to which package os gives 1 as its exit code.
// The roles end with another one.
func wasKilled(s *os.ProcessState) bool { return s.ExitCode() == 1 }

// checkNoChildren has nothing to look for: Windows keeps of a process that has ended what somebody has a
// handle of, and handles are counted.
func checkNoChildren(*testing.T) {}
