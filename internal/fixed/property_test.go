package fixed_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall/internal/fixed"
)

var basics = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](),
	reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](),
	reflect.TypeFor[complex64](), reflect.TypeFor[complex128](),
}

// drawType makes any fixed-layout type of at most the given nesting.
func drawType(t *rapid.T, depth int) reflect.Type {
	shape := rapid.IntRange(0, 3).Draw(t, "shape")
	switch {
	case depth == 0 || shape < 2:
		return rapid.SampledFrom(basics).Draw(t, "basic")
	case shape == 2:
		return reflect.ArrayOf(rapid.IntRange(0, 3).Draw(t, "len"), drawType(t, depth-1))
	}
	fields := make([]reflect.StructField, rapid.IntRange(0, 4).Draw(t, "fields"))
	for i := range fields {
		fields[i] = reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: drawType(t, depth-1)}
		if rapid.IntRange(0, 4).Draw(t, "blank") == 0 {
			fields[i].Name, fields[i].PkgPath = "_", "fixed_test"
		}
	}
	return reflect.StructOf(fields)
}

// mark sets want to the kind of the field that each byte belongs to, by the
// plain recursion over every element that the package avoids.
func mark(want []reflect.Kind, t reflect.Type) {
	switch t.Kind() {
	case reflect.Array:
		for i := range t.Len() {
			mark(want[uintptr(i)*t.Elem().Size():], t.Elem())
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name != "_" {
				mark(want[f.Offset:], f.Type)
			}
		}
	default:
		for i := range t.Size() {
			want[i] = t.Kind()
		}
	}
}

func TestAnyType(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rt := drawType(t, 4)
		typ, err := fixed.OfType(rt)
		if err != nil {
			t.Fatal(err)
		}
		b, err := typ.Schema().MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		back, err := fixed.ParseSchema(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := fixed.Match(typ.Schema(), back); err != nil {
			t.Fatal(err)
		}

		want := make([]reflect.Kind, typ.Size())
		mark(want, rt)
		got := make([]reflect.Kind, typ.Size())
		for _, f := range typ.Schema().Fields {
			for i := range f.Size * f.Count {
				got[f.Offset+i] = basics[f.Kind-1].Kind()
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}

		private := bytes.Repeat([]byte{0xff}, typ.Size())
		shared := bytes.Repeat([]byte{0xaa}, typ.Size())
		typ.Publish(shared, private)
		for i, b := range shared {
			if (want[i] == reflect.Invalid) != (b == 0) {
				t.Fatalf("byte %d, of kind %v, was published as %#x", i, want[i], b)
			}
		}

		hostile := rapid.SliceOfN(rapid.Byte(), typ.Size(), typ.Size()).Draw(t, "hostile")
		typ.Receive(private, hostile)
		checkReceived(t, typ, private, hostile)
	})
}
