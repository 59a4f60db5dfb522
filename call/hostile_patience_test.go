//go:build linux || windows

package call

import (
	"os"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// A weak build leaves out checks of what a peer publishes. There the attacks are
// for TestWeakFalls, which runs each in a process of its own.
const (
	weakBuild    = !checkFields
	weakVariable = "PARTYWALL_HOSTILE_WEAK"
)

func skipIfWeak(t *testing.T) {
	if weakBuild && os.Getenv(weakVariable) == "" {
		t.Skip("a weak build: TestWeakFalls runs this")
	}
}

// patience is how long a victim has to notice an attack. A weak victim does not
// notice, and is not waited for as long.
var patience = func() time.Duration {
	if weakBuild {
		return 2 * time.Second
	}
	return proctest.Watchdog / 3
}()
