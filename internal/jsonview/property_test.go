package jsonview_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

var (
	numbers = []reflect.Type{
		reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
		reflect.TypeFor[int64](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](),
		reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](),
	}
	complexes = []reflect.Type{reflect.TypeFor[complex64](), reflect.TypeFor[complex128]()}
	others    = []reflect.Type{
		reflect.TypeFor[int](), reflect.TypeFor[uint](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
		reflect.TypeFor[time.Time](), reflect.TypeFor[any](),
	}
	keys = []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[int8](), reflect.TypeFor[uint64](), reflect.TypeFor[int]()}
)

// drawFixed makes any fixed-layout type of at most the given nesting.
func drawFixed(t *rapid.T, depth int) reflect.Type {
	shape := rapid.IntRange(0, 3).Draw(t, "shape")
	switch {
	case depth == 0 || shape == 0:
		return rapid.SampledFrom(append(complexes, numbers...)).Draw(t, "basic")
	case shape == 1:
		return reflect.ArrayOf(rapid.IntRange(0, 3).Draw(t, "len"), drawFixed(t, depth-1))
	}
	return drawStruct(t, func() reflect.Type { return drawFixed(t, depth-1) })
}

func drawStruct(t *rapid.T, field func() reflect.Type) reflect.Type {
	fields := make([]reflect.StructField, rapid.IntRange(0, 12).Draw(t, "fields"))
	for i := range fields {
		fields[i] = reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: field()}
	}
	return reflect.StructOf(fields)
}

func TestAnyFixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rt := drawFixed(t, 3)
		typ, err := fixed.OfType(rt)
		if err != nil {
			t.Fatal(err)
		}
		// Any bytes that are not NaN, of which only one can be written.
		raw := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0, 1, 'a', 0xff})), typ.Size(), typ.Size()).Draw(t, "value")
		value := make([]byte, typ.Size())
		typ.Receive(value, raw)
		typ.Publish(value, bytes.Clone(value))
		text, err := jsonview.FixedToJSON(typ.Schema(), value)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(text) {
			t.Fatalf("%s is not JSON", text)
		}
		back, err := jsonview.FixedFromJSON(typ.Schema(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !bytes.Contains(text, []byte(`"NaN"`)) && !bytes.Equal(back, value) {
			t.Fatalf("%x was written as %s and read as %x", value, text, back)
		}
		again, err := jsonview.FixedToJSON(typ.Schema(), back)
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%s was written again as %s (%v)", text, again, err)
		}
		if s := jsonview.FixedSignature(typ.Schema()); s == "" || len(s) > 1000 {
			t.Fatalf("the signature is %s", s)
		}
	})
}

// drawDocument makes a document type of at most the given nesting; a plain one is one
// of which encoding/json thinks the same.
func drawDocument(t *rapid.T, depth int, plain bool) reflect.Type {
	shapes := 10
	if plain {
		shapes = 7
	}
	shape := rapid.IntRange(0, shapes-1).Draw(t, "shape")
	below := func() reflect.Type { return drawDocument(t, depth-1, plain) }
	switch {
	case depth == 0 || shape < 2:
		return rapid.SampledFrom(append(others, numbers...)).Draw(t, "basic")
	case shape == 2:
		return reflect.SliceOf(below())
	case shape == 3:
		return reflect.MapOf(rapid.SampledFrom(keys).Draw(t, "key"), below())
	case shape == 4:
		return reflect.PointerTo(below())
	case shape < 7:
		return drawStruct(t, below)
	case shape == 7:
		return reflect.ArrayOf(rapid.IntRange(0, 4).Draw(t, "len"), below())
	}
	return tagged(t, drawStruct(t, below), shape == 9)
}

// tagged returns a struct whose fields have tags, and which may be a tuple.
func tagged(t *rapid.T, of reflect.Type, tuple bool) reflect.Type {
	var fields []reflect.StructField
	if tuple {
		fields = append(fields, reflect.StructField{
			Name: "_", PkgPath: "jsonview_test", Type: reflect.TypeFor[struct{}](), Tag: `cbor:",toarray"`,
		})
	}
	for i := range of.NumField() {
		f := of.Field(i)
		tags := []string{"", fmt.Sprintf("%d", 3-i) + ",keyasint", "a name " + f.Name, "Ä\"" + f.Name + ",omitempty"}
		if tuple {
			tags = tags[:1]
		}
		f.Tag = reflect.StructTag(fmt.Sprintf("cbor:%q", rapid.SampledFrom(tags).Draw(t, "tag")))
		fields = append(fields, reflect.StructField{Name: f.Name, Type: f.Type, Tag: f.Tag})
	}
	return reflect.StructOf(fields)
}

// fill gives v a value. In an any there is nothing that JSON has no form for.
func fill(t *rapid.T, v reflect.Value, plain bool) {
	if v.Kind() != reflect.Struct && rapid.IntRange(0, 5).Draw(t, "zero") == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int") >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - v.Type().Bits()))
	case reflect.Float32:
		v.SetFloat(float64(rapid.Float32().Draw(t, "float32")))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "float64"))
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "string"))
	case reflect.Interface:
		v.Set(reflect.ValueOf(drawAny(t, 3, plain)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), plain)
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "len")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), plain)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, key, plain)
			fill(t, elem, plain)
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			zone := time.FixedZone("", 60*rapid.IntRange(-1439, 1439).Draw(t, "offset"))
			at := time.Unix(rapid.Int64Range(-62e9, 253e9).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds"))
			v.Set(reflect.ValueOf(at.In(zone)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(t, v.Field(i), plain)
			}
		}
	}
}

// drawAny makes a value for an any. A plain one has no whole numbers, which are floats
// to encoding/json.
func drawAny(t *rapid.T, depth int, plain bool) any {
	shapes := 7
	if depth == 0 {
		shapes = 5
	}
	switch shape := rapid.IntRange(0, shapes-1).Draw(t, "any"); {
	case shape == 0:
		return rapid.Bool().Draw(t, "bool")
	case shape == 1:
		return rapid.String().Draw(t, "string")
	case plain && shape < 5:
		return rapid.Float64().Filter(func(f float64) bool { return f != math.Trunc(f) }).Draw(t, "float64")
	case shape == 2:
		return rapid.Float64().Draw(t, "float64")
	case shape == 3:
		return rapid.Int64().Draw(t, "int64")
	case shape == 4:
		return rapid.Uint64Range(1<<63, 1<<64-1).Draw(t, "uint64")
	case shape == 5:
		l := make([]any, rapid.IntRange(0, 3).Draw(t, "len"))
		for i := range l {
			l[i] = drawAny(t, depth-1, plain)
		}
		return l
	}
	m := make(map[string]any)
	for range rapid.IntRange(0, 3).Draw(t, "len") {
		m[rapid.String().Draw(t, "name")] = drawAny(t, depth-1, plain)
	}
	return m
}

var sameValue = cmp.Options{
	cmpopts.EquateNaNs(),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	cmp.Exporter(func(reflect.Type) bool { return true }),
}

func TestAnyDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rt := drawDocument(t, 3, false)
		typ, err := document.OfType(rt)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(rt)
		fill(t, v.Elem(), false)
		doc, err := document.Marshal(v.Elem().Interface())
		if err != nil {
			t.Fatal(err)
		}
		text, err := jsonview.DocumentToJSON(typ.Schema(), doc)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(text) {
			t.Fatalf("%s is not JSON", text)
		}
		back, err := jsonview.DocumentFromJSON(typ.Schema(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !bytes.Equal(back, doc) {
			t.Fatalf("%x was written as %s and read as %x", doc, text, back)
		}
	})
}

// encoding/json reads and writes the same, for types that have no forms of their own
// here.
func TestPlainDocumentAgainstJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rt := drawDocument(t, 3, true)
		typ, err := document.OfType(rt)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(rt)
		fill(t, v.Elem(), true)
		theirs, err := json.Marshal(v.Interface())
		if err != nil {
			t.Skip(err) // an infinity
		}
		read := reflect.New(rt)
		doc, err := jsonview.DocumentFromJSON(typ.Schema(), theirs)
		if err != nil {
			t.Fatalf("%s: %v", theirs, err)
		}
		if err := document.Unmarshal(doc, read.Interface()); err != nil {
			t.Fatal(err)
		}
		want := reflect.New(rt)
		if err := json.Unmarshal(theirs, want.Interface()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Interface(), read.Interface(), sameValue); diff != "" {
			t.Fatalf("%s was read as another value (-want +got):\n%s", theirs, diff)
		}
		ours, err := jsonview.DocumentToJSON(typ.Schema(), doc)
		if err != nil {
			t.Fatal(err)
		}
		again := reflect.New(rt)
		if err := json.Unmarshal(ours, again.Interface()); err != nil {
			t.Fatalf("%s: %v", ours, err)
		}
		if diff := cmp.Diff(want.Interface(), again.Interface(), sameValue); diff != "" {
			t.Fatalf("%s is for encoding/json another value (-want +got):\n%s", ours, diff)
		}
	})
}

// Whatever somebody types, the error has one line of a reasonable length.
func TestErrorsAreOneLine(t *testing.T) {
	words := []string{
		"{", "}", "[", "]", ",", ":", "\n", `"A"`, `"Name"`, `"Points"`, `"Inner"`, `"title"`, `"small"`, `"Ports"`, "1", "-300",
		"1e400", "true", "null", `"\n\u0000"`, `"\u2028"`, "\"\xff\"", `"x`, "'", "\u202e", strings.Repeat("9", 200), `"` + strings.Repeat("a", 200) + `"`,
	}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 20).Draw(t, "words"), "")
		if rapid.Bool().Draw(t, "member") {
			text = "{" + rapid.SampledFrom(words).Draw(t, "name") + ":" + rapid.SampledFrom(words).Draw(t, "value") + "}"
		}
		typ, err := fixed.Of[frame]()
		if err != nil {
			t.Fatal(err)
		}
		_, err = jsonview.FixedFromJSON(typ.Schema(), []byte(text))
		checkError(t, err)
		for _, rt := range []reflect.Type{reflect.TypeFor[record](), reflect.TypeFor[special](), reflect.TypeFor[any]()} {
			typ, err := document.OfType(rt)
			if err != nil {
				t.Fatal(err)
			}
			_, err = jsonview.DocumentFromJSON(typ.Schema(), []byte(text))
			checkError(t, err)
		}
	})
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// checkError checks what is true of every error about JSON.
func checkError(t failer, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if !errors.Is(err, jsonview.ErrInput) {
		t.Fatalf("%v does not wrap ErrInput", err)
	}
	checkLine(t, err)
}

// checkLine checks that an error has one line that can be shown.
func checkLine(t failer, err error) {
	t.Helper()
	for _, r := range err.Error() {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r == 0xfffd {
			t.Fatalf("%q has %q", err, r)
		}
	}
	if len(err.Error()) > 1000 {
		t.Fatalf("%q has %d bytes", err, len(err.Error()))
	}
}

// A document with bytes changed is refused or shown, and shown at least if it can be
// decoded.
func TestChangedDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rt := drawDocument(t, 3, false)
		typ, err := document.OfType(rt)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(rt)
		fill(t, v.Elem(), false)
		doc, err := document.Marshal(v.Elem().Interface())
		if err != nil {
			t.Fatal(err)
		}
		heads := []byte{0x00, 0x20, 0x40, 0x41, 0x60, 0x61, 0x80, 0x81, 0xa0, 0xa1, 0xf4, 0xf6, 0xf7, 0xf9, 0xfb, 0x18, 0x78, 0x9f, 0xc0, 0xff}
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			i := rapid.IntRange(0, len(doc)-1).Draw(t, "at")
			doc[i] = rapid.OneOf(rapid.SampledFrom(heads), rapid.Byte()).Draw(t, "byte")
		}
		text, err := jsonview.DocumentToJSON(typ.Schema(), doc)
		if err == nil {
			if !json.Valid(text) {
				t.Fatalf("%s is not JSON", text)
			}
			return
		}
		if !errors.Is(err, partywall.ErrProtocol) {
			t.Fatal(err)
		}
		checkLine(t, err)
		if document.Unmarshal(doc, v.Interface()) == nil {
			t.Fatalf("%x is decoded, but %v", doc, err)
		}
	})
}
