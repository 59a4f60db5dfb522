package proctest

import (
	"os"
	"strings"
	"testing"
)

// holding counts what a process holds, by what the kernel calls it.
type holding map[string]int

func hold(t testing.TB) holding {
	t.Helper()
	h := holding{}
	// This comes first: it is a file that has Go set up its poller, which has descriptors.
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		if i := strings.Index(line, "/memfd:partywall"); i >= 0 {
			h["mapping of "+strings.TrimSpace(line[i:])]++
		}
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil {
			continue // the directory itself
		}
		// Sockets and pipes have a number each, of which the kind is enough.
		kind, _, _ := strings.Cut(target, ":[")
		h["descriptor of "+kind]++
	}
	return h
}

// minus lists what h has more of than before.
func (h holding) minus(before holding) (more []string) {
	for what, n := range h {
		for range n - before[what] {
			more = append(more, what)
		}
	}
	return more
}

func (h holding) steady() map[string]int { return h }
