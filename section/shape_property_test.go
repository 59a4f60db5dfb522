package section

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

var scalars = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[complex64](), reflect.TypeFor[complex128](),
}

// drawType draws a type with a fixed layout.
func drawType(t *rapid.T, depth int) reflect.Type {
	switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
	case depth > 0 && kind == 0:
		return reflect.ArrayOf(rapid.IntRange(1, 3).Draw(t, "length"), drawType(t, depth-1))
	case depth > 0 && kind <= 2:
		return drawStruct(t, depth-1, rapid.IntRange(1, 4).Draw(t, "fields"))
	}
	return rapid.SampledFrom(scalars).Draw(t, "scalar")
}

func drawStruct(t *rapid.T, depth, n int) reflect.Type {
	var fields []reflect.StructField
	for i := range n {
		fields = append(fields, reflect.StructField{Name: "F" + strings.Repeat("a", i), Type: drawType(t, depth)})
	}
	return reflect.StructOf(fields)
}

func schemaOf(t interface{ Fatal(...any) }, typ reflect.Type) *fixed.Schema {
	ty, err := fixed.OfType(typ)
	if err != nil {
		t.Fatal(err)
	}
	return ty.Schema()
}

func drawBytes(t *rapid.T, n int, what string) []byte {
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, what)
}

// The slow way to the same: every element of every field is a line of its own.
func elementsOf(s *fixed.Schema) (paths []string, at map[string][2]int) {
	at = map[string][2]int{}
	for _, f := range s.Fields {
		for i := range f.Count {
			path := f.Path
			if f.Count > 1 {
				path += fmt.Sprintf("[%d]", i)
			}
			paths = append(paths, path)
			at[path] = [2]int{int(f.Offset + i*f.Size), int(f.Size)}
		}
	}
	return paths, at
}

// Setting a field to what it is in another value makes it so, and leaves every other bit, padding
// included.
func TestSetField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema := schemaOf(t, drawStruct(t, 3, rapid.IntRange(1, 5).Draw(t, "fields")))
		if rapid.Bool().Draw(t, "grown") {
			var err error
			if schema, err = fixed.Union(schema, schemaOf(t, drawStruct(t, 3, 5))); err != nil {
				t.Skip(err)
			}
		}
		s := newShape(form{kind: fixedForm, fixed: schema, capacity: int(schema.Size)})
		before, other := drawBytes(t, int(schema.Size), "before"), drawBytes(t, int(schema.Size), "other")
		all, at := elementsOf(schema)
		path := rapid.SampledFrom(all).Draw(t, "path")
		for rapid.Bool().Draw(t, "up") && strings.ContainsAny(path, ".[") {
			path = path[:strings.LastIndexAny(path, ".[")]
		}
		text, err := s.toJSON(other, path)
		if err != nil {
			t.Fatal(err)
		}
		after, err := s.set(bytes.Clone(before), path, text)
		if err != nil {
			t.Fatalf("%s = %s: %v", path, text, err)
		}
		touched := make([]bool, len(before))
		for _, e := range all {
			rest, below := strings.CutPrefix(e, path)
			if !below || rest != "" && rest[0] != '.' && rest[0] != '[' {
				continue
			}
			place := at[e]
			for i := range place[1] {
				touched[place[0]+i] = true
			}
		}
		for i := range before {
			if !touched[i] && after[i] != before[i] {
				t.Fatalf("%s = %s changes byte %d", path, text, i)
			}
		}
		again, err := s.toJSON(after, path)
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%s = %s is then %s, %v", path, text, again, err)
		}
		// The whole value has it too, by package json's idea of a path.
		whole, err := s.toJSON(after, "")
		if err != nil {
			t.Fatal(err)
		}
		if at := jsonAt(t, whole, path); at != nil && !reflect.DeepEqual(at, jsonAt(t, text, "")) {
			t.Fatalf("%s of %s is %v, not %s", path, whole, at, text)
		}
		if sig, err := s.signature(path); err != nil || sig == "" {
			t.Fatal(sig, err)
		}
	})
}

// jsonAt decodes what a path leads to; nil for an element of what is written as a text, or of an array of
// arrays, which JSON has flat.
func jsonAt(t *rapid.T, text []byte, path string) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' }) {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(strings.TrimSuffix(step, "]"))
			if err != nil || i >= len(in) {
				t.Fatalf("no %s in %s", path, text)
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// A grown region's fields stand in JSON where they belong, and its schema can be read.
func TestInOrder(t *testing.T) {
	type old struct {
		Pos  struct{ X float64 }
		List [2]struct{ A uint8 }
		Name [4]uint8
	}
	type young struct {
		Pos  struct{ X, Y float64 }
		List [3]struct{ A, B uint8 }
		Last bool
	}
	grown, err := fixed.Union(schemaOf(t, reflect.TypeFor[old]()), schemaOf(t, reflect.TypeFor[young]()))
	if err != nil {
		t.Fatal(err)
	}
	s := newShape(form{kind: fixedForm, fixed: grown, capacity: int(grown.Size)})
	const want = "{Pos {X float64, Y float64}, List [3]{A uint8, B uint8}, Name [4]uint8, Last bool}"
	if got := jsonview.FixedSignature(s.ordered); got != want {
		t.Error(got)
	}
	const text = `{"Pos":{"X":1,"Y":2},"List":[{"A":3,"B":4},{"A":5,"B":6},{"A":7,"B":8}],"Name":"left","Last":true}`
	data, err := s.fromJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.toJSON(data, ""); err != nil || string(got) != text {
		t.Error(string(got), err)
	}
	if got, err := s.toJSON(data, "List[2]"); err != nil || string(got) != `{"A":7,"B":8}` {
		t.Error(string(got), err)
	}
	var paths []string
	for _, f := range s.fields() {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"Pos.X", "Pos.Y", "List[0].A", "List[0].B", "List[1].A", "List[1].B", "List[2].A", "List[2].B", "Name", "Last"}, paths); diff != "" {
		t.Error(diff)
	}
}

// Whatever somebody types is set or is an error that says what he has typed wrong.
func FuzzSetField(f *testing.F) {
	type value struct {
		N    uint32
		Pos  struct{ X, Y float64 }
		List [2]struct{ A [3]int16 }
		Name [8]uint8
	}
	for _, path := range []string{"", "N", "Pos", "Pos.X", "List[1].A[2]", "List[1]", "Name", "List", "[", "N[0]", "Pos.", ".N", "List[9]", "Name[7]", "a]b[", "Pos.X.Y"} {
		for _, text := range []string{"1", `{"X":1}`, `"text"`, "[1,2]", "", "null"} {
			f.Add(path, []byte(text))
		}
	}
	s := newShape(form{kind: fixedForm, fixed: schemaOf(f, reflect.TypeFor[value]())})
	s.form.capacity = int(s.form.fixed.Size)
	f.Fuzz(func(t *testing.T, path string, text []byte) {
		data := make([]byte, s.form.capacity)
		_, err := s.set(data, path, text)
		if err == nil {
			if _, err = s.toJSON(data, path); err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, ErrInput) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Fatalf("%q", err)
		}
		if !bytes.Equal(data, make([]byte, len(data))) {
			t.Fatal("something has been set")
		}
	})
}
