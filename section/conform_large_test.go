package section_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/partywall/partywall/section"
)

func init() { conformRoles["huge"] = hugeRole }

// huge is the largest value that the package promises, and a little more than what a machine does at once.
type huge [256 << 20]byte

// hugeRole checks a huge value, and stores another.
func hugeRole(g ground, name string, _ []string) error {
	s, done, err := child[huge](g, name)
	if err != nil {
		return err
	}
	defer done()
	v := new(huge)
	if _, err := s.LoadTo(v); err != nil {
		return err
	}
	for i, b := range v {
		if b != byte(i>>20)+1 {
			return fmt.Errorf("byte %d is %d", i, b)
		}
		v[i] = ^b
	}
	version, err := s.StoreFrom(v)
	fmt.Println("stored", version)
	return err
}

// A value of 256 MiB, between two processes.
func TestHuge(t *testing.T) {
	if testing.Short() || slow {
		t.Skip("it takes 1.3 GB of memory, and long where processes are slow")
	}
	g := newGround(t, "files")
	s := on[huge](t, g, "huge")
	v := new(huge)
	for i := range v {
		v[i] = byte(i>>20) + 1
	}
	if _, err := s.StoreFrom(v); err != nil {
		t.Fatal(err)
	}
	other := g.start(t, "huge", "huge")
	if stored := other.Expect("stored"); stored != "2" {
		t.Error(stored)
	}
	if err := other.Wait(); err != nil {
		t.Error(err)
	}
	if version := must(s.LoadTo(v))(t); version != 2 {
		t.Error(version)
	}
	for i, b := range v {
		if b != ^(byte(i>>20) + 1) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
}

// Loads and stores of fixed layouts allocate nothing.
func TestAllocations(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		s := on[plant](t, g, "allocations")
		l := on[large](t, newGround(t, g.kind), "allocations/large")
		v, ctx := new(large), context.Background()
		for what, do := range map[string]func(){
			"Load":      func() { must(s.Load())(t) },
			"Store":     func() { _ = s.Store(plant{Jobs: 1}) },
			"LoadTo":    func() { must(l.LoadTo(v))(t) },
			"StoreFrom": func() { must(l.StoreFrom(v))(t) },
			"Update":    func() { _ = s.Update(ctx, func(p *plant) error { p.Jobs++; return nil }) },
		} {
			limit := 0.0
			if what == "Update" {
				limit = 1 // the value that the function changes
			}
			if n := testing.AllocsPerRun(100, do); n > limit {
				t.Errorf("%s allocates %v times", what, n)
			}
		}
	})
}

// Programs that ask for more room get it, without losing the value.
func TestMaxSizeGrows(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		a := on[[]byte](t, g, "room", section.MaxSize(10))
		if err := a.Store([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		b, err := tryOn[[]byte](t, g, "room", section.MaxSize(100_000))
		if !g.grows() {
			if err == nil || !strings.Contains(err.Error(), "cannot") {
				t.Error(err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if v := must(b.Load())(t); string(v) != "abc" {
			t.Errorf("%q", v)
		}
		for i, s := range []*section.Section[[]byte]{a, b, a} {
			want := strings.Repeat("x", 50_000*i)
			if err := s.Store([]byte(want)); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*section.Section[[]byte]{a, b} {
				if v := must(s.Load())(t); string(v) != want {
					t.Errorf("%d bytes, want %d", len(v), len(want))
				}
			}
		}
	})
}
