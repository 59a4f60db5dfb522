//go:build partywall_weak

package instance_test

import (
	"fmt"
	"testing"
	"time"
)

// TestWeakFalls hunts a build that confirms launches before anybody has them: some have to be lost. That shows
// that the hunt can find one.
func TestWeakFalls(t *testing.T) {
	began := time.Now()
	h := kill(t, 20)
	if len(h.lost) == 0 {
		t.Fatalf("no launch is lost in a build that loses them: the hunt is blind (%v)", h)
	}
	fmt.Printf("hunt: the weak build is found out after %v: %d launches were confirmed and lost\n", time.Since(began).Round(time.Millisecond), len(h.lost))
}
