package jsonview_test

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

type point struct{ X, Y int32 }

type frame struct {
	A, B   int64
	Name   [8]uint8
	On     bool
	Points [2]point
	Inner  struct {
		Small  uint8
		Grid   [2][3]int16
		Ratio  float32
		Phase  complex128
		Flags  [3]bool
		Mixed  [2]struct{ V [2]uint16 }
		Unused [0]int32
	}
	_ int32
}

func fixedSchema[T any](tb testing.TB) *fixed.Schema {
	tb.Helper()
	typ, err := fixed.Of[T]()
	if err != nil {
		tb.Fatal(err)
	}
	return typ.Schema()
}

// fromJSON reads text as a T.
func fromJSON[T any](tb testing.TB, text string) (v T, err error) {
	tb.Helper()
	typ, e := fixed.Of[T]()
	if e != nil {
		tb.Fatal(e)
	}
	b, err := jsonview.FixedFromJSON(typ.Schema(), []byte(text))
	if err == nil {
		typ.Receive(fixed.Bytes(&v), b)
	}
	return v, err
}

// toJSON writes v.
func toJSON[T any](tb testing.TB, v T) string {
	tb.Helper()
	typ, err := fixed.Of[T]()
	if err != nil {
		tb.Fatal(err)
	}
	b := make([]byte, typ.Size())
	typ.Publish(b, fixed.Bytes(&v))
	text, err := jsonview.FixedToJSON(typ.Schema(), b)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// both checks that text and v stand for each other.
func both[T any](v T, text string) func(t *testing.T) {
	return func(t *testing.T) {
		reads(v, text)(t)
		if got := toJSON(t, v); got != text {
			t.Errorf("written as %s\nwant       %s", got, text)
		}
	}
}

// reads checks that text stands for v.
func reads[T any](v T, text string) func(t *testing.T) {
	return func(t *testing.T) {
		got, err := fromJSON[T](t, text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, got, cmp.AllowUnexported(frame{}), cmp.Comparer(sameFloat)); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
	}
}

func sameFloat(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func TestFixed(t *testing.T) {
	full := frame{
		A: math.MinInt64, B: math.MaxInt64,
		Name:   [8]uint8{'l', 'e', 'f', 't'},
		On:     true,
		Points: [2]point{{1, 2}, {3, -4}},
	}
	full.Inner.Small = 255
	full.Inner.Grid = [2][3]int16{{1, 2, 3}, {4, 5, 6}}
	full.Inner.Ratio = 0.1
	full.Inner.Phase = complex(1.5, math.Inf(-1))
	full.Inner.Flags = [3]bool{false, true, false}
	full.Inner.Mixed[1].V[0] = 7

	for name, test := range map[string]func(*testing.T){
		"struct": both(full, `{"A":-9223372036854775808,"B":9223372036854775807,"Name":"left","On":true,`+
			`"Points":[{"X":1,"Y":2},{"X":3,"Y":-4}],`+
			`"Inner":{"Small":255,"Grid":[1,2,3,4,5,6],"Ratio":0.1,"Phase":[1.5,"-Inf"],`+
			`"Flags":[false,true,false],"Mixed":[{"V":[0,0]},{"V":[7,0]}]}}`),
		"spaces":        reads(point{1, 2}, "\t{ \"X\" : 1 ,\r\n\"Y\":2 } \n"),
		"other order":   reads(point{1, 2}, `{"Y":2,"X":1}`),
		"missing":       reads(frame{Points: [2]point{{Y: 5}}}, `{"Points":[{"Y":5}],"Inner":{}}`),
		"empty":         both(struct{}{}, `{}`),
		"only blank":    both(struct{ _ int64 }{}, `{}`),
		"int64":         both(int64(-5), `-5`),
		"uint64":        both(uint64(math.MaxUint64), `18446744073709551615`),
		"exponent":      reads(uint64(math.MaxUint64), `1.8446744073709551615e19`),
		"exponent of 0": reads(int8(0), `-0.00e99999999999999999999`),
		"negative":      reads(int16(-1500), `-150.00E+1`),
		"minus zero":    reads(uint8(0), `-0`),
		"exponent down": reads(uint8(12), `1200000e-5`),
		"bool":          both(true, `true`),
		"float32":       both(float32(math.MaxFloat32), `3.4028235e+38`),
		"float64":       both(5e-324, `5e-324`),
		"third":         both(1.0/3, `0.3333333333333333`),
		"whole float":   both(1e20, `100000000000000000000`),
		"minus zero f":  both(math.Copysign(0, -1), `-0`),
		"NaN":           both(math.NaN(), `"NaN"`),
		"Inf":           both([2]float64{math.Inf(1), math.Inf(-1)}, `["+Inf","-Inf"]`),
		"complex":       both(complex64(complex(1, -2)), `[1,-2]`),
		"complexes":     both([2]complex128{1, 2i}, `[[1,0],[0,2]]`),
		"short array":   reads([4]int32{1, 2}, `[1,2]`),
		"no elements":   reads([4]int32{}, `[]`),
		"structs":       both([2]point{{1, 2}, {3, 4}}, `[{"X":1,"Y":2},{"X":3,"Y":4}]`),
		"structs, deep": both([1][2]point{{{1, 2}, {3, 4}}}, `[[{"X":1,"Y":2},{"X":3,"Y":4}]]`),
		"text":          both([5]uint8{'h', 0xc3, 0xa9, '"', '\n'}, `"hé\"\n"`),
		"text, \\u":     reads([5]uint8{0xf0, 0x9f, 0x98, 0x80, '/'}, `"\ud83d\uDE00\/"`),
		"text, escapes": reads([7]uint8{'\b', '\f', '\n', '\r', '\t', '\\', 'A'}, `"\b\f\n\r\t\\\u0041"`),
		"zero in text":  reads([3]uint8{0, 'a'}, `"\u0000a"`),
		"no text":       both([3]uint8{}, `""`),
		"zeros first":   both([3]uint8{0, 'a', 0}, `[0,97,0]`),
		"control":       both([3]uint8{'a', 0x1b}, `[97,27,0]`),
		"right to left": both([3]uint8{0xe2, 0x80, 0xae}, `[226,128,174]`),
		"not UTF-8":     both([2]uint8{0xc3}, `[195,0]`),
		"numbers":       reads([4]uint8{104, 105}, `[104, 1.05e2]`),
		"bytes":         both([2][2]uint8{{'a', 'b'}, {'c', 'd'}}, `"abcd"`),
		"one":           both([1]uint8{7}, `7`),
		"one, as array": reads([1]uint8{7}, `[7]`),
		"one complex":   reads([1]complex64{3}, `[[3,0]]`),
		"one struct":    both([1]point{{X: 1}}, `[{"X":1,"Y":0}]`),
	} {
		t.Run(name, test)
	}
}

// refused checks that text is no T, and what the error says.
func refused[T any](text, want string) func(t *testing.T) {
	return func(t *testing.T) {
		v, err := fromJSON[T](t, text)
		if err == nil {
			t.Fatalf("read as %+v", v)
		}
		if !errors.Is(err, jsonview.ErrInput) || errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("the error is %#v", err)
		}
		if err.Error() != want {
			t.Errorf("got  %s\nwant %s", err, want)
		}
	}
}

func TestFixedRefuses(t *testing.T) {
	type many struct{ A, B, C, D, E, F, G, H, I, J, K, L, M, N int8 }
	for name, test := range map[string]func(*testing.T){
		"unknown":         refused[point](`{"C":1}`, `unknown field "C"; the fields are X and Y`),
		"case":            refused[point](`{"x":1}`, `unknown field "x"; did you mean X? The fields are X and Y`),
		"unknown, deep":   refused[frame](`{"Points":[{},{"Z":1}]}`, `Points[1]: unknown field "Z"; the fields are X and Y`),
		"the only":        refused[struct{ A int8 }](`{"B":1}`, `unknown field "B"; the only field is A`),
		"none":            refused[struct{}](`{"B":1}`, `unknown field "B"; there are no fields`),
		"many":            refused[many](`{"Z":1}`, `unknown field "Z"; the fields are A, B, C, D, E, F, G, H, I, J, K, L and 2 more`),
		"long name":       refused[point](`{"`+strings.Repeat("é", 60)+`":1}`, `unknown field "éééééééééééééééééééé..."; the fields are X and Y`),
		"odd name":        refused[point](`{"\n\u001b":1}`, `unknown field "\n\x1b"; the fields are X and Y`),
		"twice":           refused[point](`{"X":1,"X":1}`, `"X" stands twice`),
		"twice, deep":     refused[frame](`{"Inner":{"Small":1,"Small":1}}`, `Inner: "Small" stands twice`),
		"text":            refused[frame](`{"A":"5"}`, `A: a text, where int64 is needed`),
		"true":            refused[frame](`{"A":true}`, `A: true, where int64 is needed`),
		"null":            refused[frame](`{"A":null}`, `A: null, where int64 is needed`),
		"object":          refused[frame](`{"A":{}}`, `A: an object, where int64 is needed`),
		"array":           refused[frame](`{"Inner":[]}`, `Inner: an array, where an object is needed`),
		"not an array":    refused[frame](`{"Points":{}}`, `Points: an object, where an array is needed`),
		"number for bool": refused[frame](`{"On":1}`, `On: a number, where bool is needed`),
		"in an array":     refused[[4]int32](`[1,"2"]`, `[1]: a text, where int32 is needed`),
		"array of":        refused[[4]int32](`7`, `a number, where [4]int32 is needed`),
		"null array":      refused[[4]int32](`null`, `null, where [4]int32 is needed`),
		"null object":     refused[point](`null`, `null, where an object is needed`),
		"range":           refused[uint8](`300`, `300 is out of range for uint8 (0 to 255)`),
		"range, field":    refused[frame](`{"Inner":{"Small":-1}}`, `Inner.Small: -1 is out of range for uint8 (0 to 255)`),
		"range, exponent": refused[int8](`1.28e2`, `1.28e2 is out of range for int8 (-128 to 127)`),
		"range, below":    refused[int8](`-129`, `-129 is out of range for int8 (-128 to 127)`),
		"range, far":      refused[int8](`1e999999999999`, `1e999999999999 is out of range for int8 (-128 to 127)`),
		"range, int64": refused[int64](`9223372036854775808`,
			`9223372036854775808 is out of range for int64 (-9223372036854775808 to 9223372036854775807)`),
		"range, uint64": refused[uint64](`18446744073709551616`,
			`18446744073709551616 is out of range for uint64 (0 to 18446744073709551615)`),
		"range, float32": refused[float32](`3.5e38`, `3.5e38 is out of range for float32 (-3.4028235e+38 to 3.4028235e+38)`),
		"range, float64": refused[float64](`-1e309`, `-1e309 is out of range for float64 (-1.7976931348623157e+308 to 1.7976931348623157e+308)`),
		"long number":    refused[int8](strings.Repeat("9", 1000), strings.Repeat("9", 40)+`... is out of range for int8 (-128 to 127)`),
		"fraction":       refused[int8](`1.5`, `1.5 has a fraction, where int8 is needed`),
		"fraction, far":  refused[int8](`1e-99999999999`, `1e-99999999999 has a fraction, where int8 is needed`),
		"float text":     refused[float32](`"inf"`, `a text, where float32 is needed (only "NaN", "+Inf" and "-Inf" may be texts)`),
		"float array":    refused[float32](`{}`, `an object, where float32 is needed`),
		"complex":        refused[complex64](`1`, `a number, where complex64, as [real, imaginary], is needed`),
		"complex of one": refused[complex64](`[1]`, `1 numbers, where complex64 is needed, as [real, imaginary]`),
		"complex of 3":   refused[complex64](`[1,2,3]`, `[2]: one element more than complex64 has room for`),
		"complex part":   refused[complex64](`[1,1e39]`, `[1]: 1e39 is out of range for float32 (-3.4028235e+38 to 3.4028235e+38)`),
		"long array":     refused[[2]int32](`[1,2,3]`, `[2]: one element more than [2]int32 has room for`),
		"long structs":   refused[[2]point](`[{},{},{}]`, `[2]: one element more than [2]struct has room for`),
		"long text":      refused[frame](`{"Name":"123456789"}`, `Name: the text has 9 bytes, more than [8]uint8 has room for`),
		"long bytes":     refused[[2]uint8](`[1,2,3]`, `[2]: one element more than [2]uint8 has room for`),
		"bytes":          refused[[2]uint8](`1`, `a number, where [2]uint8 is needed`),
		"byte":           refused[[2]uint8](`[256]`, `[0]: 256 is out of range for uint8 (0 to 255)`),
		"text for uint8": refused[uint8](`"a"`, `a text, where uint8 is needed`),
	} {
		t.Run(name, test)
	}
}

// A value of the wrong size and a schema whose paths are no type's are a peer's fault.
func TestFixedForeign(t *testing.T) {
	_, err := jsonview.FixedToJSON(fixedSchema[point](t), make([]byte, 7))
	if want := partywall.ErrProtocol.Error() + ": value: 7 bytes, where the schema says 8"; err == nil || err.Error() != want || !errors.Is(err, partywall.ErrProtocol) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	for _, paths := range []string{
		".", "A.", ".A", "A..B", "A.[0]", "[", "]", "[]", "[0", "0]", "A]", "A]B", "[0]]", "[0]A", "[0].", "[0].[0]",
		"[1]", "[00]", "[x]", "[0] [2]", "[0] A", "A [0]", "A A.B", "A.B A", "A.B C A.D", "A[0] A.B", "A.B A[0]",
		"[0] [0][0]", "[0][0] [0]", "[0].A [1].A [0].B",
	} {
		s := &fixed.Schema{Size: 8, Align: 1}
		for i, path := range strings.Fields(paths) {
			s.Fields = append(s.Fields, fixed.Field{Path: path, Kind: fixed.Int8, Offset: uint32(i), Size: 1, Count: 1})
		}
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if s, err = fixed.ParseSchema(b); err != nil {
			t.Fatal(err)
		}
		if _, err := jsonview.FixedFromJSON(s, []byte("{}")); !errors.Is(err, partywall.ErrProtocol) || errors.Is(err, jsonview.ErrInput) {
			t.Errorf("%s: from JSON: %v", paths, err)
		}
		if text, err := jsonview.FixedToJSON(s, make([]byte, 8)); !errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("%s: to JSON: %s, %v", paths, text, err)
		}
		want := "{" + strings.ReplaceAll(paths, " ", " int8, ") + " int8}"
		if got := jsonview.FixedSignature(s); got != want {
			t.Errorf("signature %s, want %s", got, want)
		}
	}
}

// A bool is true if its byte is anything but zero, as it is for whoever receives it.
func TestFixedBool(t *testing.T) {
	text, err := jsonview.FixedToJSON(fixedSchema[[3]bool](t), []byte{0, 1, 2})
	if err != nil || string(text) != "[false,true,true]" {
		t.Errorf("%s, %v", text, err)
	}
}

// The bytes are those that this machine's processes have in memory.
func TestFixedByteOrder(t *testing.T) {
	b, err := jsonview.FixedFromJSON(fixedSchema[struct {
		A uint8
		B uint32
	}](t), []byte(`{"A":1,"B":66051}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := binary.NativeEndian.AppendUint32([]byte{1, 0, 0, 0}, 0x010203); string(b) != string(want) {
		t.Errorf("got %x, want %x", b, want)
	}
}

func TestFixedSignature(t *testing.T) {
	type many struct {
		LongName [40]struct{ A, B, C, D float64 }
		Inner    struct{ E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z complex128 }
		Further  struct {
			A, B, C, D, E, F, G, H [17]struct{ I, J, K, L, M, N, O, P [1 << 10]int64 }
		}
	}
	for want, s := range map[string]*fixed.Schema{
		`{A int64, B int64, Name [8]uint8, On bool, Points [2]{X int32, Y int32}, Inner {Small uint8, ` +
			`Grid [6]int16, Ratio float32, Phase complex128, Flags [3]bool, Mixed [2]{V [2]uint16}}}`: fixedSchema[frame](t),
		`int64`:                    fixedSchema[int64](t),
		`[6]int64`:                 fixedSchema[[2][3]int64](t),
		`[2][3]{X int32, Y int32}`: fixedSchema[[2][3]point](t),
		`{}`:                       fixedSchema[struct{}](t),
	} {
		if got := jsonview.FixedSignature(s); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	// Arrays whose elements differ are no arrays of Go, but a peer may describe them.
	odd := &fixed.Schema{Size: 2, Align: 1, Fields: []fixed.Field{
		{Path: "[0].A", Kind: fixed.Int8, Offset: 0, Size: 1, Count: 1},
		{Path: "[1].B", Kind: fixed.Int8, Offset: 1, Size: 1, Count: 1},
	}}
	if got, want := jsonview.FixedSignature(odd), `[{A int8}, {B int8}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := `{LongName [40]{A float64, B float64, C float64, D float64}, Inner {E complex128,`
	got := jsonview.FixedSignature(fixedSchema[many](t))
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ", ...}, ...}") || len(got) > 400 || len(got) < 300 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
