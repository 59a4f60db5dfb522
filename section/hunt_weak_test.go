//go:build partywall_weak

package section_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// TestWeakFalls hunts a build whose readers do not look again, and whose writers do not look at
// pins: in each size a mixture has to be found. That shows that the hunt can find one.
func TestWeakFalls(t *testing.T) {
	for size := range preys {
		t.Run(size, func(t *testing.T) {
			began, name := time.Now(), "weak/"+size
			for i := range 2 {
				counter := filepath.Join(t.TempDir(), "counter")
				proctest.Start(t, "hunt", "write", size, name, counter, fmt.Sprint(i+1), "1").Expect("ready")
			}
			found := make(chan struct{}, 4)
			for range cap(found) {
				reader := proctest.Start(t, "hunt", "read", size, name)
				reader.Expect("ready")
				go func() {
					// It ends by itself if it finds something, and only then.
					for range reader.Lines() {
					}
					found <- struct{}{}
				}()
			}
			select {
			case <-found:
				fmt.Printf("hunt: %s bytes: the weak build is found out after %v\n", size, time.Since(began).Round(time.Millisecond))
			case <-time.After(proctest.Watchdog):
				t.Error("no mixture is found in a build that makes them: the hunt is blind")
			}
		})
	}
}
