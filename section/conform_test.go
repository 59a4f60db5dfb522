package section_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/section"
)

// A ground is a backing that the suite runs on: files in the run directory, or memory that
// somebody else has mapped. What a section promises, it promises on each.
type ground struct {
	kind string
	path string // of the file that is mapped
}

var grounds = []string{"files", "view"}

const viewBytes = 8 << 20

// newGround returns a ground that has no sections yet.
func newGround(t testing.TB, kind string) ground {
	t.Helper()
	g := ground{kind: kind}
	if kind == "view" {
		g.path = filepath.Join(t.TempDir(), "view")
		if err := os.WriteFile(g.path, make([]byte, viewBytes), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// options are those with which every process opens a section there. done gives back what they hold.
func (g ground) options() (options []section.Option, done func(), err error) {
	if g.kind == "files" {
		return nil, func() {}, nil
	}
	f, err := os.OpenFile(g.path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	r, err := region.MapFile(f, viewBytes, false)
	if err != nil {
		return nil, nil, err
	}
	return []section.Option{section.In(r.Bytes())}, func() { r.Close() }, nil
}

// grows reports whether sections can grow there.
func (g ground) grows() bool { return g.kind == "files" }

// on opens a section on a ground.
func on[T any](t testing.TB, g ground, name string, more ...section.Option) *section.Section[T] {
	t.Helper()
	s, err := tryOn[T](t, g, name, more...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOn[T any](t testing.TB, g ground, name string, more ...section.Option) (*section.Section[T], error) {
	t.Helper()
	options, done, err := g.options()
	if err != nil {
		t.Fatal(err)
	}
	s, err := section.Open[T](name, append(options, more...)...)
	if err != nil {
		done()
		return nil, err
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		done()
	})
	return s, nil
}

// everywhere runs a test on every ground.
func everywhere(t *testing.T, test func(t *testing.T, g ground)) {
	for _, kind := range grounds {
		t.Run(kind, func(t *testing.T) {
			leaks := proctest.Watch(t)
			g := newGround(t, kind)
			// Cleanups run last in, first out: this one after those that close handles.
			t.Cleanup(func() {
				leaks.Check()
				left, _ := filepath.Glob(filepath.Join(os.Getenv("PARTYWALL_DIR"), "*"))
				for _, file := range left {
					t.Errorf("left behind: %s", file)
					os.Remove(file)
				}
			})
			test(t, g)
		})
	}
}

// The other processes of the suite.
var conformRoles = map[string]func(g ground, name string, args []string) error{}

func conformRole(args []string) error {
	role := conformRoles[args[0]]
	if role == nil {
		return fmt.Errorf("no role %q", args[0])
	}
	return role(ground{kind: args[1], path: args[2]}, args[3], args[4:])
}

// start starts a process that is on the same ground.
func (g ground) start(t testing.TB, role, name string, args ...string) *proctest.Process {
	t.Helper()
	return proctest.Start(t, "conform", append([]string{role, g.kind, g.path, name}, args...)...)
}

// child opens a section in a process of the suite.
func child[T any](g ground, name string, more ...section.Option) (*section.Section[T], func(), error) {
	options, done, err := g.options()
	if err != nil {
		return nil, nil, err
	}
	s, err := section.Open[T](name, append(options, more...)...)
	if err != nil {
		return nil, nil, err
	}
	return s, func() { s.Close(); done() }, nil
}
