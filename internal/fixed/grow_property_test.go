package fixed_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

func schemaOfType(t *rapid.T, rt reflect.Type) *fixed.Schema {
	t.Helper()
	typ, err := fixed.OfType(rt)
	if err != nil {
		t.Fatal(err)
	}
	return typ.Schema()
}

// fieldSet returns the fields by path, without their offsets.
func fieldSet(s *fixed.Schema) map[string]fixed.Field {
	set := make(map[string]fixed.Field)
	for _, f := range s.Fields {
		f.Offset = 0
		set[f.Path] = f
	}
	return set
}

func holds(s, part map[string]fixed.Field) bool {
	for path, f := range part {
		if s[path] != f {
			return false
		}
	}
	return true
}

// checkUnion checks what Union promises of u, the union of have and want.
func checkUnion(t failer, u, have, want *fixed.Schema) {
	t.Helper()
	if _, err := u.MarshalBinary(); err != nil {
		t.Fatalf("the union is not well formed: %v", err)
	}
	all, haves, wants := fieldSet(u), fieldSet(have), fieldSet(want)
	if !holds(all, haves) || !holds(all, wants) {
		t.Fatalf("the union %v lacks fields of %v or %v", u, have, want)
	}
	for path := range all {
		_, had := haves[path]
		if _, wanted := wants[path]; !had && !wanted {
			t.Fatalf("neither of the two has %s", path)
		}
	}
	switch {
	case holds(haves, wants):
		if u != have {
			t.Fatalf("have has all of want, but the union is %v", u)
		}
	case holds(wants, haves):
		if u != want {
			t.Fatalf("want has all of have, but the union is %v", u)
		}
	default:
		for i, f := range have.Fields {
			if u.Fields[i] != f {
				t.Fatalf("field %v is now %v", f, u.Fields[i])
			}
		}
		last := -1
		for _, f := range u.Fields[len(have.Fields):] {
			if f.Offset < have.Size || f.Offset%min(f.Size, 4) != 0 || f.Offset%min(f.Size, 8) != 0 && f.Kind != fixed.Complex64 {
				t.Fatalf("field %v lies badly behind %d bytes", f, have.Size)
			}
			at := 0
			for want.Fields[at].Path != f.Path {
				at++
			}
			if at < last {
				t.Fatalf("field %v is not in the order of want", f)
			}
			last = at
		}
		if u.Align != max(have.Align, want.Align) {
			t.Fatalf("the alignment is %d, of %d and %d", u.Align, have.Align, want.Align)
		}
	}
	for _, s := range []*fixed.Schema{have, want, u} {
		if again, err := fixed.Union(u, s); again != u || err != nil {
			t.Fatalf("once more: %v, %v, not %v", again, err, u)
		}
	}
}

func union(t failer, have, want *fixed.Schema) *fixed.Schema {
	t.Helper()
	u, err := fixed.Union(have, want)
	if err != nil {
		t.Fatalf("%v and %v: %v", have, want, err)
	}
	checkUnion(t, u, have, want)
	return u
}

// Whoever comes first, three generations end up with the same fields, and each
// finds in the section what it stored there.
func TestGenerations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawStruct(t, 3)
		var gens [3]*fixed.Schema
		for i := range gens {
			gens[i] = schemaOfType(t, w.draw(t))
		}
		var first *fixed.Schema
		for _, o := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			u := union(t, union(t, gens[o[0]], gens[o[1]]), gens[o[2]])
			if first == nil {
				first = u
			}
			if got, want := fieldSet(u), fieldSet(first); !reflect.DeepEqual(got, want) {
				t.Fatalf("order %v: %v\nnot %v", o, got, want)
			}
		}
		pattern := rapid.SliceOfN(rapid.Byte(), 1, 64)
		fill := func(s *fixed.Schema) []byte {
			p := pattern.Draw(t, "bytes")
			b := make([]byte, s.Size)
			for i := range b {
				b[i] = p[i%len(p)]
			}
			return b
		}
		for _, from := range append(gens[:], first) {
			for _, to := range append(gens[:], first) {
				src, dst := fill(from), fill(to)
				there, err := fixed.NewConversion(from, to)
				if err != nil {
					t.Fatal(err)
				}
				checkConversion(t, there, from, to, dst, src)
				back, err := fixed.NewConversion(to, from)
				if err != nil {
					t.Fatal(err)
				}
				// There, and back over itself: nothing changes, for the common
				// fields are what they were and nothing else is touched.
				again := append([]byte(nil), src...)
				there.Apply(dst, src)
				back.Apply(again, dst)
				if string(again) != string(src) {
					t.Fatalf("there and back: %x is now %x", src, again)
				}
			}
		}
	})
}

// contradictions returns the paths, and parts of paths, to which two schemas
// together give more than one meaning.
func contradictions(a, b *fixed.Schema) map[string]bool {
	meaning := map[string]string{}
	bad := map[string]bool{}
	mean := func(path, what string) {
		if other, ok := meaning[path]; ok && other != what {
			bad[path] = true
		}
		meaning[path] = what
	}
	for _, s := range []*fixed.Schema{a, b} {
		for _, f := range s.Fields {
			mean(f.Path, fmt.Sprintf("%d %v", f.Count, f.Kind))
			for i, r := range f.Path {
				switch {
				case r == '[':
					mean(f.Path[:i], "array")
				case r == '.', i == 0:
					mean(f.Path[:i], "struct")
				}
			}
		}
	}
	// A value without fields may be a struct or an array, but no number.
	root := meaning[""]
	if none := len(a.Fields) == 0 || len(b.Fields) == 0; none && root != "" && root != "array" && root != "struct" {
		bad[""] = true
	}
	return bad
}

// names reports whether the text of the error names one of the paths.
func names(err error, paths map[string]bool) bool {
	for path := range paths {
		name := "field " + path
		if path == "" {
			name = "the value"
		}
		rest, ok := strings.CutPrefix(err.Error(), partywall.ErrLayout.Error()+": "+name)
		if ok && (strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, " is ") || strings.HasPrefix(rest, " has ")) {
			return true
		}
	}
	return false
}

// Of any two types, those unite that give each path the same meaning, and an
// error names a path that has two.
func TestUnionOfAny(t *testing.T) {
	agreed := 0
	rapid.Check(t, func(t *rapid.T) {
		pool := []reflect.Type{drawType(t, 2), drawType(t, 2), drawWorld(t, 2).draw(t)}
		have := schemaOfType(t, drawFrom(t, pool))
		want := schemaOfType(t, drawFrom(t, pool))
		differ := contradictions(have, want)
		_, cerr := fixed.NewConversion(have, want)
		u, err := fixed.Union(have, want)
		if fmt.Sprint(err) != fmt.Sprint(cerr) {
			t.Fatalf("union: %v\nconversion: %v", err, cerr)
		}
		if len(differ) == 0 {
			if err != nil {
				t.Fatal(err)
			}
			checkUnion(t, u, have, want)
			agreed++
			return
		}
		if !errors.Is(err, partywall.ErrLayout) || !names(err, differ) {
			t.Fatalf("%v differ, but %v", differ, err)
		}
	})
	t.Logf("%d pairs agreed", agreed)
}
