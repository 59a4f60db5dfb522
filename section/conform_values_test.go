package section_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

func init() {
	conformRoles["echo"] = echoRole
	conformRoles["count"] = countRole
}

// What a new section has, and what comes of a store, in another handle as well.
func TestStoreIsLoaded(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		a, b := on[plant](t, g, "plant/line1"), on[plant](t, g, "plant/line1")
		var v plant
		if version := must(b.LoadTo(&v))(t); version != 0 || v != (plant{}) {
			t.Errorf("a new section has version %d, %+v", version, v)
		}
		for i := range uint64(1000) {
			want := plant{Temperature: float64(i) / 3, Jobs: uint32(i), Running: i%2 == 0, Name: [32]byte{byte(i), 31: 1}}
			if version := must(a.StoreFrom(&want))(t); version != i+1 {
				t.Fatalf("store %d is version %d", i+1, version)
			}
			for _, s := range []*section.Section[plant]{a, b} {
				if version := must(s.LoadTo(&v))(t); version != i+1 || v != want {
					t.Fatalf("version %d: %+v, want %+v", version, v, want)
				}
			}
		}
		if err := b.Store(plant{Jobs: 7}); err != nil {
			t.Fatal(err)
		}
		if v := must(a.Load())(t); v.Jobs != 7 {
			t.Errorf("%+v", v)
		}
		if a.Name() != "plant/line1" {
			t.Error(a.Name())
		}
	})
}

// everyKind has a field of each kind, padding, and structs and arrays within each other.
type everyKind struct {
	B     bool
	I8    int8
	I16   int16
	U8    uint8
	I32   int32
	I64   int64
	U16   uint16
	U32   uint32
	U64   uint64
	F32   float32
	F64   float64
	C64   complex64
	C128  complex128
	Bools [3]bool
	In    [2]struct {
		X int16
		Y struct{ Z [2]float64 }
	}
}

func everyKindOf(i int) (v everyKind) {
	v = everyKind{
		B: i%2 == 0, I8: int8(i), I16: int16(-i), U8: uint8(i), I32: int32(i << 8), I64: int64(i) << 40, U16: uint16(i), U32: uint32(i) << 16,
		U64: math.MaxUint64 - uint64(i), F32: float32(i) / 2, F64: float64(i) / 3, C64: complex(float32(i), 1), C128: complex(1, float64(i)),
		Bools: [3]bool{true, i%3 == 0, true},
	}
	v.In[1].X, v.In[1].Y.Z[1] = int16(i), float64(-i)
	return v
}

// tree is a document.
type tree struct {
	Name     string
	Weight   *float64
	Children []tree `cbor:",omitempty"`
	Tags     map[string]int64
	At       time.Time
}

func treeOf(i int) tree {
	w := float64(i)
	return tree{Name: strings.Repeat("ä", i%50), Weight: &w, Children: []tree{{Name: "x"}, {Name: "y"}}, Tags: map[string]int64{"n": int64(i)}, At: time.Unix(int64(i), 5).UTC()}
}

// testType stores values of a type here and in another process, which each load what the other has stored.
func testType[T any](t *testing.T, g ground, kind string, of func(i int) T, options ...section.Option) {
	t.Helper()
	name := "type/" + kind
	s := on[T](t, g, name, options...)
	other := g.start(t, "echo", name, kind)
	other.Expect("ready")
	for i := range 20 {
		want := of(i)
		if err := s.Store(want); err != nil {
			t.Fatal(err)
		}
		other.Say("%d", i)
		if said := other.Line(); said != "ok" {
			t.Fatalf("%s: value %d: %s", kind, i, said)
		}
		got := must(s.Load())(t)
		if diff := different(of(i+1000), got); diff != "" {
			t.Fatalf("%s: value %d, stored by the other (-want +got):\n%s", kind, i+1000, diff)
		}
	}
	other.Say("end")
	if err := other.Wait(); err != nil {
		t.Error(err)
	}
}

func echo[T any](g ground, name string, of func(i int) T) error {
	s, done, err := child[T](g, name)
	if err != nil {
		return err
	}
	defer done()
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var i int
		if n, _ := fmt.Sscan(in.Text(), &i); n != 1 {
			break
		}
		got, err := s.Load()
		if err != nil {
			return err
		}
		if diff := different(of(i), got); diff != "" {
			fmt.Printf("%q\n", diff)
			continue
		}
		if err := s.Store(of(i + 1000)); err != nil {
			return err
		}
		fmt.Println("ok")
	}
	return nil
}

// different is cmp.Diff, and fast where nothing is.
func different[T any](want, got T) string {
	if reflect.TypeFor[T]().Comparable() && any(want) == any(got) {
		return ""
	}
	return cmp.Diff(want, got)
}

func uint32Of(i int) uint32       { return uint32(i) * 77 }
func bytesOf(i int) []byte        { return bytes.Repeat([]byte{byte(i)}, i*7+1) }
func mapOf(i int) map[string]bool { return map[string]bool{fmt.Sprint(i): true, "": false} }
func textOf(i int) (v [5]byte)    { copy(v[:], fmt.Sprint(i)); return v }
func mediumOf(i int) (v medium)   { v[0], v[511] = uint64(i), uint64(i)<<32; return v }
func largeOf(i int) (v large)     { v[0], v[131071] = uint64(i), uint64(i)<<32; return v }

func echoRole(g ground, name string, args []string) error {
	switch args[0] {
	case "every":
		return echo(g, name, everyKindOf)
	case "uint32":
		return echo(g, name, uint32Of)
	case "text":
		return echo(g, name, textOf)
	case "medium":
		return echo(g, name, mediumOf)
	case "large":
		return echo(g, name, largeOf)
	case "bytes":
		return echo(g, name, bytesOf)
	case "tree":
		return echo(g, name, treeOf)
	case "map":
		return echo(g, name, mapOf)
	}
	return fmt.Errorf("no type %q", args[0])
}

func TestTypes(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "every", everyKindOf) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "uint32", uint32Of) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "text", textOf) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "medium", mediumOf) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "large", largeOf) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "bytes", bytesOf) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "bytes", bytesOf, section.MaxSize(1<<20)) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "tree", treeOf) })
	everywhere(t, func(t *testing.T, g ground) { testType(t, g, "map", mapOf) })
}

// What has no fixed layout begins as its zero value, and has a largest size.
func TestBodies(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		b := on[[]byte](t, g, "bytes", section.MaxSize(100))
		if v := must(b.Load())(t); len(v) != 0 {
			t.Error(v)
		}
		for _, n := range []int{0, 1, 99, 100} {
			if err := b.Store(make([]byte, n)); err != nil {
				t.Fatal(err)
			}
			if v := must(b.Load())(t); len(v) != n {
				t.Errorf("%d bytes come back as %d", n, len(v))
			}
		}
		if err := b.Store(make([]byte, 101)); !errors.Is(err, partywall.ErrTooLarge) || !strings.Contains(err.Error(), "101") {
			t.Error(err)
		}
		if v := must(b.Load())(t); len(v) != 100 {
			t.Errorf("a store that failed has left %d bytes", len(v))
		}
	})
	everywhere(t, func(t *testing.T, g ground) {
		d := on[map[string]string](t, g, "document")
		if v := must(d.Load())(t); v != nil {
			t.Error(v)
		}
		if err := d.Store(map[string]string{"a": strings.Repeat("x", section.DefaultMaxSize)}); !errors.Is(err, partywall.ErrTooLarge) {
			t.Error(err)
		}
		if err := d.Store(map[string]string{"\xff": ""}); err == nil {
			t.Error("a text that is not UTF-8 has been stored")
		}
	})
}

// Nothing that is updated is lost, whoever updates at the same time.
func TestUpdates(t *testing.T) {
	const processes, goroutines, updates = 3, 4, 500
	everywhere(t, func(t *testing.T, g ground) {
		s := on[plant](t, g, "updates")
		var others []interface{ Wait() error }
		for range processes {
			p := g.start(t, "count", "updates", fmt.Sprint(goroutines), fmt.Sprint(updates))
			p.Expect("ready")
			others = append(others, p)
		}
		if err := count(s, goroutines, updates); err != nil {
			t.Error(err)
		}
		for _, p := range others {
			if err := p.Wait(); err != nil {
				t.Error(err)
			}
		}
		var v plant
		version := must(s.LoadTo(&v))(t)
		if want := uint64((processes + 1) * goroutines * updates); version != want || uint64(v.Jobs) != want || v.Temperature != float64(want) {
			t.Errorf("version %d, %+v after %d updates", version, v, want)
		}
	})
}

func count(s *section.Section[plant], goroutines, updates int) error {
	errs := make([]error, goroutines)
	var group sync.WaitGroup
	for i := range goroutines {
		group.Go(func() {
			for range updates {
				if err := s.Update(context.Background(), func(v *plant) error {
					v.Jobs++
					v.Temperature++
					return nil
				}); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func countRole(g ground, name string, args []string) error {
	s, done, err := child[plant](g, name)
	if err != nil {
		return err
	}
	defer done()
	fmt.Println("ready")
	var goroutines, updates int
	fmt.Sscan(strings.Join(args, " "), &goroutines, &updates)
	return count(s, goroutines, updates)
}

// An update that does not want to, or whose context has ended, has not stored.
func TestUpdateEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		s := on[plant](t, g, "update")
		wrong := errors.New("no")
		if err := s.Update(context.Background(), func(v *plant) error { v.Jobs = 1; return wrong }); err != wrong {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Update(ctx, func(*plant) error { t.Error("it has run"); return nil }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		// Somebody is always faster: f runs again until the context ends.
		ctx, cancel = context.WithCancel(context.Background())
		runs := 0
		err := s.Update(ctx, func(v *plant) error {
			if runs++; runs == 5 {
				cancel()
			}
			return s.Store(plant{Jobs: uint32(runs)})
		})
		if !errors.Is(err, context.Canceled) || runs != 5 {
			t.Errorf("%d runs, %v", runs, err)
		}
		if v := must(s.Load())(t); v.Jobs != 5 {
			t.Errorf("%+v", v)
		}
	})
}
