//go:build partywall_weak

package pe

import (
	"bytes"
	"strings"
	"testing"
)

// TestWeakFalls shows that the seeds of FuzzOpen find the check that this build leaves out.
func TestWeakFalls(t *testing.T) {
	var fallen []string
	for _, s := range strangeFiles() {
		if s.large {
			continue
		}
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Logf("strange-%s: %v", s.name, r)
					fallen = append(fallen, s.name)
				}
			}()
			b := s.draw()
			f, err := New(bytes.NewReader(b), int64(len(b)))
			exercise(t, b, f, err)
		}()
	}
	if !strings.Contains(strings.Join(fallen, " "), "exports-ordinal-too-high") {
		t.Errorf("only %q fall", fallen)
	}
}
