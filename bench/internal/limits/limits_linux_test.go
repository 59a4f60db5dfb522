package limits

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/bench/internal/report"
)

func all(string) bool { return true }

// Every program that can be compiled here exchanges every size, and verifies its answers by itself.
func TestPrograms(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler: ", err)
	}
	entries, missing, err := Compile(t.Context(), t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range missing {
		if m.Contender != "zeromq" && m.Contender != "nng" {
			t.Errorf("%s is missing: %s", m.Contender, m.Why)
		}
	}
	if len(entries)+len(missing) != len(Names()) {
		t.Errorf("%d ways and %d that are missing, of %d", len(entries), len(missing), len(Names()))
	}
	for _, e := range entries {
		t.Run(e.Name, func(t *testing.T) {
			for _, c := range []report.Cell{
				{Size: 64, Goroutines: 1}, {Size: 4096, Goroutines: 1}, {Size: 1 << 20, Goroutines: 1}, {Size: 64, Goroutines: 1, Rate: 1000},
			} {
				if !e.Does(c) {
					continue
				}
				s, err := e.Run(t.Context(), c, 10*time.Millisecond)
				if err != nil {
					t.Fatalf("%v: %v", c, err)
				}
				qs := make([]float64, len(s.Quantiles))
				for i, q := range s.Quantiles {
					qs[i] = q.Q
				}
				if s.Calls == 0 || s.P50() <= 0 || s.Seconds <= 0 || s.ClientRSS <= 0 || !slices.Equal(qs, report.Quantiles) {
					t.Errorf("%v: %+v", c, s)
				}
			}
			if what, version, err := e.Version(t.Context()); what == "" || version == "" || err != nil {
				t.Errorf("version %q of %q, %v", version, what, err)
			}
			if e.Does(report.Cell{Size: 4096, Goroutines: 8}) {
				t.Error("a program with one thread does eight goroutines")
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(entries[0].dir, "*-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestMissing(t *testing.T) {
	spin := func(name string) bool { return name == report.SpinLimit }
	for cc, want := range map[string]string{
		filepath.Join(t.TempDir(), "none"): "apt-get install gcc",
		"false":                            "false fails",
	} {
		t.Setenv("CC", cc)
		entries, missing, err := Compile(t.Context(), t.TempDir(), spin)
		if err != nil || len(entries) != 0 || len(missing) != 1 || !strings.Contains(missing[0].Why, want) {
			t.Errorf("CC=%s: %v, %v, %v", cc, entries, missing, err)
		}
	}
	t.Setenv("CC", "false")
	_, missing, err := Compile(t.Context(), t.TempDir(), func(name string) bool { return name == "nng" })
	if err != nil || len(missing) != 1 || !strings.Contains(missing[0].Why, "libnng-dev") {
		t.Errorf("%v, %v", missing, err)
	}
}
