package fixed_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

type (
	weather1 struct {
		Temperature float64
		Rain        bool
	}
	weather2 struct { // in another order, and with more
		Rain        bool
		Wind        [3]float32
		Temperature float64
		Stations    [2]point
		Phase       complex64
		Night       bool
	}
	weather3 struct { // grown from weather1 by somebody else
		Temperature float64
		Rain        bool
		Pressure    uint32
		Stations    [3]struct{ X, Z int16 }
	}
)

// foreign parses a schema that no Go type has.
func foreign(tb testing.TB, size, align uint32, fields ...string) *fixed.Schema {
	tb.Helper()
	s, err := fixed.ParseSchema([]byte(header(size, align, uint32(len(fields))) + strings.Join(fields, "")))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestUnion(t *testing.T) {
	have, want := schemaOf[weather1](t), schemaOf[weather2](t)
	if got, err := fixed.Union(have, want); got != want || err != nil {
		t.Errorf("want has all of have: got %p (%v), want %p", got, err, want)
	}
	if got, err := fixed.Union(want, have); got != want || err != nil {
		t.Errorf("have has all of want: got %p (%v), want %p", got, err, want)
	}
	if got, err := fixed.Union(have, have); got != have || err != nil {
		t.Errorf("the same: got %p (%v), want %p", got, err, have)
	}
	reordered := schemaOf[struct {
		Rain        bool
		Temperature float64
	}](t)
	if got, err := fixed.Union(have, reordered); got != have || err != nil {
		t.Errorf("another order: got %p (%v), want %p", got, err, have)
	}

	got, err := fixed.Union(schemaOf[weather3](t), want)
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff(&fixed.Schema{Size: 64, Align: 8, Fields: []fixed.Field{
		{"Temperature", fixed.Float64, 0, 8, 1},
		{"Rain", fixed.Bool, 8, 1, 1},
		{"Pressure", fixed.Uint32, 12, 4, 1},
		{"Stations[0].X", fixed.Int16, 16, 2, 1}, {"Stations[0].Z", fixed.Int16, 18, 2, 1},
		{"Stations[1].X", fixed.Int16, 20, 2, 1}, {"Stations[1].Z", fixed.Int16, 22, 2, 1},
		{"Stations[2].X", fixed.Int16, 24, 2, 1}, {"Stations[2].Z", fixed.Int16, 26, 2, 1},
		{"Wind", fixed.Float32, 32, 4, 3},
		{"Stations[0].Y", fixed.Int16, 44, 2, 1},
		{"Stations[1].Y", fixed.Int16, 46, 2, 1},
		{"Phase", fixed.Complex64, 48, 8, 1},
		{"Night", fixed.Bool, 56, 1, 1},
	}}, got)
	if diff != "" {
		t.Errorf("union (-want +got):\n%s", diff)
	}
}

// Each new field is aligned to its kind behind whatever was there, and the size
// to the larger of both alignments.
func TestUnionAligns(t *testing.T) {
	have := foreign(t, 3, 1, field(0, 1, byte(fixed.Uint8), "Old"))
	for kind := fixed.Bool; kind <= fixed.Complex128; kind++ {
		rt := reflect.StructOf([]reflect.StructField{{Name: "New", Type: reflect.ArrayOf(3, basics[kind-1])}})
		typ, err := fixed.OfType(rt)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fixed.Union(have, typ.Schema())
		if err != nil {
			t.Fatal(err)
		}
		align := min(kind.Size(), 8)
		if kind == fixed.Complex64 {
			align = 4
		}
		at := (3 + align - 1) / align * align
		want := &fixed.Schema{Align: uint32(typ.Align()), Fields: []fixed.Field{
			have.Fields[0], {"New", kind, at, kind.Size(), 3},
		}}
		end := at + 3*kind.Size()
		want.Size = (end + want.Align - 1) / want.Align * want.Align
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", kind, diff)
		}
	}
}

// disagreements are pairs that neither Union nor NewConversion accepts. The
// schema of the section is there, that of the program here.
func disagreements(tb testing.TB) []disagreement {
	u8, f64 := byte(fixed.Uint8), byte(fixed.Float64)
	weather := schemaOf[weather1](tb)
	bare := schemaOf[uint64](tb)
	return []disagreement{
		{"kind", weather, schemaOf[struct {
			Wind        uint8
			Temperature float32
		}](tb), "field Temperature: kind is float32 here and float64 there"},
		{"count", schemaOf[v1](tb), schemaOf[struct{ Depth [8]uint8 }](tb), "field Depth: count is 8 here and 4 there"},
		{"nested", schemaOf[frame](tb), schemaOf[struct{ Points [3]struct{ Y uint16 } }](tb), "field Points[0].Y: kind is uint16 here and int16 there"},
		{"became a struct", weather, schemaOf[struct{ Temperature struct{ Celsius float64 } }](tb), "field Temperature is a struct here and float64 there"},
		{"was a struct", schemaOf[struct{ A, AB struct{ X, Y int8 } }](tb), schemaOf[struct{ A [4]uint8 }](tb), "field A is [4]uint8 here and a struct there"},
		{"became an array", schemaOf[struct{ A, AB int8 }](tb), schemaOf[struct{ A [2]point }](tb), "field A is an array of structs here and int8 there"},
		{"struct and array", schemaOf[struct{ S struct{ A point } }](tb), schemaOf[struct{ S struct{ A [1]point } }](tb), "field S.A is an array of structs here and a struct there"},
		{"deeper", schemaOf[struct{ A struct{ B, C int8 } }](tb), schemaOf[struct {
			A struct{ B [2]struct{ C point } }
		}](tb), "field A.B is an array of structs here and int8 there"},
		{"bare and struct", bare, weather, "the value is a struct here and uint64 there"},
		{"bare and array", bare, schemaOf[[2]point](tb), "the value is an array of structs here and uint64 there"},
		{"struct and bare", weather, schemaOf[[32]byte](tb), "the value is [32]uint8 here and a struct there"},
		{"struct and array of structs", weather, schemaOf[[2]point](tb), "the value is an array of structs here and a struct there"},
		{"bare kinds", bare, schemaOf[int64](tb), "the value: kind is int64 here and uint64 there"},
		{"bare counts", schemaOf[[32]byte](tb), schemaOf[[16]byte](tb), "the value: count is 16 here and 32 there"},
		{"bare and none", bare, schemaOf[empty](tb), "the value has no fields here and is uint64 there"},
		{"none and bare", schemaOf[blank](tb), bare, "the value is uint64 here and has no fields there"},
		{"contradicts itself there", foreign(tb, 16, 8, field(0, 1, f64, "A"), field(8, 1, f64, "A.X")), schemaOf[point](tb), "field A is both float64 and a struct there"},
		{"contradicts itself here", schemaOf[point](tb), foreign(tb, 2, 1, field(0, 1, u8, "A[0].B"), field(1, 1, u8, "A.B")), "field A is both a struct and an array of structs here"},
		{"open bracket", foreign(tb, 1, 1, field(0, 1, u8, "A[0")), foreign(tb, 1, 1, field(0, 1, u8, "A")), "field A is uint8 here and an array of structs there"},
		{"only joints", foreign(tb, 1, 1, field(0, 1, u8, "...")), foreign(tb, 1, 1, field(0, 1, u8, "..[")), "field .. is an array of structs here and a struct there"},
	}
}

type disagreement struct {
	name        string
	there, here *fixed.Schema
	want        string
}

func TestDisagree(t *testing.T) {
	for _, tt := range disagreements(t) {
		t.Run(tt.name, func(t *testing.T) {
			want := partywall.ErrLayout.Error() + ": " + tt.want
			u, err := fixed.Union(tt.there, tt.here)
			if u != nil || !errors.Is(err, partywall.ErrLayout) || err.Error() != want {
				t.Errorf("union: got %v, %v\nwant %s", u, err, want)
			}
			c, err := fixed.NewConversion(tt.there, tt.here)
			if c != nil || !errors.Is(err, partywall.ErrLayout) || err.Error() != want {
				t.Errorf("conversion: got %v, %v\nwant %s", c, err, want)
			}
			if _, err := fixed.Union(tt.here, tt.there); !errors.Is(err, partywall.ErrLayout) {
				t.Errorf("the other way round: %v", err)
			}
		})
	}
}

// Paths that look odd, or alike, but do not contradict each other.
func TestUnionAgrees(t *testing.T) {
	paths := []string{
		"A", "AB", "A_", "A0", "A]", "É", "Éa", "B.X", "B.XY",
		"B.Y[0].Z", "B.Y[1].Z", "B.Y[10].Z", "B2[0].X", "C..", "C._", ".A",
	}
	for i, p := range paths {
		have := foreign(t, 1, 1, field(0, 1, byte(fixed.Uint8), p))
		for _, q := range paths[:i] {
			u, err := fixed.Union(have, foreign(t, 1, 1, field(0, 1, byte(fixed.Uint8), q)))
			if err != nil || len(u.Fields) != 2 || u.Fields[0].Path != p || u.Fields[1].Path != q {
				t.Errorf("%s and %s: %v, %v", p, q, u, err)
			}
		}
	}
}

func TestUnionTooLarge(t *testing.T) {
	u8 := byte(fixed.Uint8)
	series := func(name string, n int) *fixed.Schema {
		fields := make([]string, n)
		for i := range fields {
			fields[i] = field(uint32(i), 1, u8, fmt.Sprintf("%s%x", name, i))
		}
		return foreign(t, uint32(n), 1, fields...)
	}
	big := func(name string, count uint32) *fixed.Schema {
		return foreign(t, count, 1, field(0, count, u8, name))
	}
	tests := []struct {
		name       string
		have, want *fixed.Schema
		text       string // after what all of them begin with, or "" if there is room
	}{
		{"fields", series("A", 1<<15), series("B", 1<<15), ""},
		{"one field more", series("A", 1<<15), series("B", 1<<15+1), "has 65537 fields, more than 65536"},
		{"bytes", big("A", 1<<29), big("B", 1<<29), ""},
		{"one byte more", big("A", 1<<29), big("B", 1<<29+1), "takes 1073741825 bytes or more, and at most 1073741824 (1 GiB) are allowed"},
		{"rounded up", big("A", 1<<30-8), foreign(t, 16, 8, field(0, 1, u8, "B"), field(8, 1, u8, "A2")), ""},
		{"rounded up too far", big("A", 1<<30-1), foreign(t, 8, 4, field(0, 1, u8, "B"), field(4, 1, byte(fixed.Uint32), "C")), "takes 1073741828 bytes or more, and at most 1073741824 (1 GiB) are allowed"},
		{"twice the most", big("A", 1<<30), big("B", 1<<30), "takes 2147483648 bytes or more, and at most 1073741824 (1 GiB) are allowed"},
		{"schema", series(strings.Repeat("A", 900), 3000), series(strings.Repeat("B", 900), 3000), "has a schema of 5483472 bytes, more than 4194304"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := fixed.Union(tt.have, tt.want)
			if tt.text == "" {
				if err != nil {
					t.Fatal(err)
				}
				encoded(t, u)
				return
			}
			want := partywall.ErrTooLarge.Error() + ": a value with the fields here and those there " + tt.text
			if u != nil || !errors.Is(err, partywall.ErrTooLarge) || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
