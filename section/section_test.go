package section_test

import (
	"testing"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func TestMain(m *testing.M) {
	proctest.Main(m, proctest.Roles{"hunt": huntRole, "conform": conformRole, "grow": growRole})
}

// plant is what most tests share.
type plant struct {
	Temperature float64
	Jobs        uint32
	Running     bool
	Name        [32]byte
}

// open opens a section in the run directory.
func open[T any](t testing.TB, name string, options ...section.Option) *section.Section[T] {
	t.Helper()
	return on[T](t, ground{kind: "files"}, name, options...)
}

// must is for what cannot fail in a test that works.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
