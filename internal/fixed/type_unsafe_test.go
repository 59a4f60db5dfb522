package fixed_test

import (
	"reflect"
	"strings"
	"structs"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/internal/fixed"
)

type point struct{ X, Y int16 }

type inner struct {
	_    structs.HostLayout
	On   bool
	Rate float64
}

type frame struct {
	Width  uint32
	Keyed  bool
	inner  inner
	Points [2]point
	_      uint32
	Grid   [2][3]int32
	Phase  complex128
	None   [0]point
	Last   int8
}

type (
	flags  [3]bool
	meters float32
	empty  struct{}
	blank  struct{ _ [12]byte }
	holder struct {
		_ empty
		_ [0]func()
		A uint8
	}
)

func typeOf[T any](tb testing.TB) *fixed.Type {
	tb.Helper()
	typ, err := fixed.Of[T]()
	if err != nil {
		tb.Fatal(err)
	}
	return typ
}

func TestSchema(t *testing.T) {
	var f frame
	in := uint32(unsafe.Offsetof(f.inner))
	pts := uint32(unsafe.Offsetof(f.Points))
	tests := []struct {
		typ  reflect.Type
		want []fixed.Field
	}{
		{reflect.TypeFor[frame](), []fixed.Field{
			{"Width", fixed.Uint32, uint32(unsafe.Offsetof(f.Width)), 4, 1},
			{"Keyed", fixed.Bool, uint32(unsafe.Offsetof(f.Keyed)), 1, 1},
			{"inner.On", fixed.Bool, in + uint32(unsafe.Offsetof(f.inner.On)), 1, 1},
			{"inner.Rate", fixed.Float64, in + uint32(unsafe.Offsetof(f.inner.Rate)), 8, 1},
			{"Points[0].X", fixed.Int16, pts, 2, 1},
			{"Points[0].Y", fixed.Int16, pts + 2, 2, 1},
			{"Points[1].X", fixed.Int16, pts + 4, 2, 1},
			{"Points[1].Y", fixed.Int16, pts + 6, 2, 1},
			{"Grid", fixed.Int32, uint32(unsafe.Offsetof(f.Grid)), 4, 6},
			{"Phase", fixed.Complex128, uint32(unsafe.Offsetof(f.Phase)), 16, 1},
			{"Last", fixed.Int8, uint32(unsafe.Offsetof(f.Last)), 1, 1},
		}},
		{reflect.TypeFor[meters](), []fixed.Field{{"", fixed.Float32, 0, 4, 1}}},
		{reflect.TypeFor[flags](), []fixed.Field{{"", fixed.Bool, 0, 1, 3}}},
		{reflect.TypeFor[[2]point](), []fixed.Field{
			{"[0].X", fixed.Int16, 0, 2, 1}, {"[0].Y", fixed.Int16, 2, 2, 1},
			{"[1].X", fixed.Int16, 4, 2, 1}, {"[1].Y", fixed.Int16, 6, 2, 1},
		}},
		{reflect.TypeFor[[1][1]struct{ A [2]struct{ B uint8 } }](), []fixed.Field{
			{"[0][0].A[0].B", fixed.Uint8, 0, 1, 1}, {"[0][0].A[1].B", fixed.Uint8, 1, 1, 1},
		}},
		{reflect.TypeFor[holder](), []fixed.Field{{"A", fixed.Uint8, 0, 1, 1}}},
		{reflect.TypeFor[empty](), nil},
		{reflect.TypeFor[blank](), nil},
		{reflect.TypeFor[[1 << 20]blank](), nil},
		{reflect.TypeFor[[1 << 40 >> (64 - 8*unsafe.Sizeof(uintptr(0)))]empty](), nil},
		{reflect.TypeFor[[1 << 28]uint32](), []fixed.Field{{"", fixed.Uint32, 0, 4, 1 << 28}}},
	}
	for _, tt := range tests {
		t.Run(tt.typ.String(), func(t *testing.T) {
			typ, err := fixed.OfType(tt.typ)
			if err != nil {
				t.Fatal(err)
			}
			want := &fixed.Schema{Size: uint32(tt.typ.Size()), Align: uint32(tt.typ.Align()), Fields: tt.want}
			if diff := cmp.Diff(want, typ.Schema()); diff != "" {
				t.Errorf("schema (-want +got):\n%s", diff)
			}
			if typ.Size() != int(tt.typ.Size()) || typ.Align() != tt.typ.Align() || typ.String() != tt.typ.String() {
				t.Errorf("size %d, align %d, string %q", typ.Size(), typ.Align(), typ)
			}
			if typ.Hash() != typ.Schema().Hash() {
				t.Error("Type.Hash is not Schema.Hash")
			}
		})
	}
}

func TestEveryKind(t *testing.T) {
	typ := typeOf[struct {
		Bool       bool
		Int8       int8
		Int16      int16
		Int32      int32
		Int64      int64
		Uint8      uint8
		Uint16     uint16
		Uint32     uint32
		Uint64     uint64
		Float32    float32
		Float64    float64
		Complex64  complex64
		Complex128 complex128
	}](t)
	if n := len(typ.Schema().Fields); n != 13 {
		t.Fatalf("%d fields", n)
	}
	for i, f := range typ.Schema().Fields {
		if f.Kind != fixed.Kind(i+1) || f.Kind.String() != strings.ToLower(f.Path) || f.Size != f.Kind.Size() {
			t.Errorf("%s: kind %d (%v), size %d", f.Path, f.Kind, f.Kind, f.Size)
		}
	}
	for _, k := range []fixed.Kind{0, 14, 255} {
		if k.Size() != 0 || !strings.HasPrefix(k.String(), "kind(") {
			t.Errorf("kind %d: %v, size %d", k, k, k.Size())
		}
	}
}

func TestOfRemembers(t *testing.T) {
	a, b := typeOf[frame](t), typeOf[frame](t)
	if a != b {
		t.Error("two *Type for one type")
	}
	_, err1 := fixed.Of[string]()
	_, err2 := fixed.Of[string]()
	if err1 == nil || err1 != err2 {
		t.Errorf("%v, %v", err1, err2)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = fixed.Of[frame]() }); n != 0 {
		t.Errorf("Of allocates %v times", n)
	}
}

// The hash is part of the protocol: a change of the encoding changes it, and
// then the version of the encoding must change too.
func TestHashIsStable(t *testing.T) {
	const want = 0x45ee72d5c5e8cc8f
	if got := typeOf[point](t).Hash(); got != want {
		t.Errorf("hash %#x, want %#x", got, uint64(want))
	}
}
