package archtest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// top is the root of the repository, from this package's folder, in which the go
// command runs its tests.
var top = filepath.Join("..", "..")

func TestSources(t *testing.T) {
	sources, broken, err := load(os.DirFS(top))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(sources, func(s source) bool { return s.path == "doc.go" }) {
		t.Fatalf("%s is not the root of the repository", top)
	}
	for _, v := range broken {
		t.Errorf("does not parse: %s", v)
	}
	for name, check := range rules {
		t.Run(name, func(t *testing.T) {
			for _, s := range sources {
				for _, v := range check(s) {
					t.Error(v)
				}
			}
		})
	}
	for _, s := range sources {
		if !s.test && !s.generated && s.lines > aimsLines {
			t.Logf("%s: %d lines; we aim at %d", s.path, s.lines, aimsLines)
		}
	}
}

// The plan speaks only of rooms that it has.
func TestPlan(t *testing.T) {
	for name, r := range rooms {
		for _, to := range r.ours {
			target, ok := rooms[to]
			if !ok {
				t.Errorf("room %s may import %s, which is no room", name, to)
			}
			if target.forTests {
				t.Errorf("room %s may import %s, which is for tests only", name, to)
			}
			if slices.Contains(target.ours, name) {
				t.Errorf("rooms %s and %s may import each other", name, to)
			}
		}
	}
}
