package fixed_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/partywall/partywall/internal/fixed"
)

type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

type name string

type locked struct {
	sync.Mutex
	N int32
}

type deep struct {
	A [2]struct{ B struct{ C *int32 } }
}

type wide [1 << 20]point

// Each level has 64 times the fields of the one before: 2 to the 25th in d4.
type (
	d0 struct{ A, B uint8 }
	d1 struct{ A, B [32]d0 }
	d2 struct{ A, B [32]d1 }
	d3 struct{ A, B [32]d2 }
	d4 struct{ A, B [32]d3 }
)

func TestRefused(t *testing.T) {
	const pkg = "fixed_test."
	tests := []struct {
		typ  reflect.Type
		want string
	}{
		{nil, "the type is nil"},
		{reflect.TypeFor[string](), "string: a string points outside the value; use [n]byte and a length"},
		{reflect.TypeFor[any](), "interface {}: an interface points outside the value; use one fixed-layout type"},
		{reflect.TypeFor[struct{ N name }](), "struct { N fixed_test.name }: field N (" + pkg + "name): a string points outside the value; use [n]byte and a length"},
		{reflect.TypeFor[struct{ P *int32 }](), "struct { P *int32 }: field P (*int32): a pointer means nothing in another process; use the value itself, or an index"},
		{reflect.TypeFor[struct{ P unsafe.Pointer }](), "struct { P unsafe.Pointer }: field P (unsafe.Pointer): a pointer means nothing in another process; use the value itself, or an index"},
		{reflect.TypeFor[struct{ S []byte }](), "struct { S []uint8 }: field S ([]uint8): a slice points outside the value; use an array and a length"},
		{reflect.TypeFor[struct{ M map[int8]int8 }](), "struct { M map[int8]int8 }: field M (map[int8]int8): a map points outside the value; use an array of structs with key and value"},
		{reflect.TypeFor[struct{ C chan int8 }](), "struct { C chan int8 }: field C (chan int8): a channel belongs to one process; leave it out"},
		{reflect.TypeFor[struct{ F func() }](), "struct { F func() }: field F (func()): a function belongs to one process; leave it out, or use a number that stands for it"},
		{reflect.TypeFor[struct{ R io.Reader }](), "struct { R io.Reader }: field R (io.Reader): an interface points outside the value; use one fixed-layout type"},
		{reflect.TypeFor[struct{ N int }](), "struct { N int }: field N (int): its size differs between processes; use int32 or int64"},
		{reflect.TypeFor[struct{ N uint }](), "struct { N uint }: field N (uint): its size differs between processes; use uint32 or uint64"},
		{reflect.TypeFor[struct{ N uintptr }](), "struct { N uintptr }: field N (uintptr): its size differs between processes; use uint32 or uint64"},
		{reflect.TypeFor[struct{ N [4]int }](), "struct { N [4]int }: field N[0] (int): its size differs between processes; use int32 or int64"},
		{reflect.TypeFor[struct{ _ *int8 }](), "struct { _ *int8 }: field _ (*int8): a pointer means nothing in another process; use the value itself, or an index"},
		{reflect.TypeFor[deep](), pkg + "deep: field A[0].B.C (*int32): a pointer means nothing in another process; use the value itself, or an index"},
		{reflect.TypeFor[struct{ N atomic.Uint64 }](), "struct { N atomic.Uint64 }: field N (atomic.Uint64): an atomic must not be copied; use uint64"},
		{reflect.TypeFor[struct{ B [2]atomic.Bool }](), "struct { B [2]atomic.Bool }: field B[0] (atomic.Bool): an atomic must not be copied; use bool"},
		{reflect.TypeFor[atomic.Uintptr](), "atomic.Uintptr: an atomic must not be copied; leave it out"},
		{reflect.TypeFor[locked](), pkg + "locked: field Mutex (sync.Mutex): the types of package sync must not be copied; leave it out"},
		{reflect.TypeFor[struct{ _ noCopy }](), "struct { _ fixed_test.noCopy }: field _ (" + pkg + "noCopy): a lock must not be copied; leave it out"},
		{reflect.TypeFor[struct{ T time.Time }](), "struct { T time.Time }: field T (time.Time): a time holds a pointer to its zone; use int64 with UnixNano"},
		{reflect.TypeFor[[1<<30 + 1]byte](), "[1073741825]uint8: it takes 1073741825 bytes, and 1073741824 (1 GiB) are allowed; make it smaller"},
		{reflect.TypeFor[wide](), pkg + "wide: it has more than 65536 fields, counting those of every array element; use arrays of numbers instead of arrays of structs"},
		{reflect.TypeFor[struct{ W wide }](), "struct { W fixed_test.wide }: field W (" + pkg + "wide): it has more than 65536 fields, counting those of every array element; use arrays of numbers instead of arrays of structs"},
		{reflect.TypeFor[d4](), pkg + "d4: field A[0].A ([32]" + pkg + "d2): it has more than 65536 fields, counting those of every array element; use arrays of numbers instead of arrays of structs"},
	}
	for _, tt := range tests {
		title := "nil"
		if tt.typ != nil {
			title = tt.typ.String()
		}
		t.Run(title, func(t *testing.T) {
			typ, err := fixed.OfType(tt.typ)
			if typ != nil || !errors.Is(err, fixed.ErrNotFixed) {
				t.Fatalf("got %v, %v", typ, err)
			}
			if want := "not a fixed-layout type: " + tt.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// Types whose elements are many but whose fields are none, or whose paths are
// long, must not cost work in proportion to the elements.
func TestBoundedWork(t *testing.T) {
	long := strings.Repeat("L", 999)
	byteField := func(name string) reflect.Type {
		return reflect.StructOf([]reflect.StructField{{Name: name, Type: reflect.TypeFor[uint8]()}})
	}
	padding := reflect.TypeFor[struct{ _ uint8 }]()
	for range 13 {
		padding = reflect.StructOf([]reflect.StructField{
			{Name: "A", Type: reflect.ArrayOf(2, padding)},
			{Name: "B", Type: reflect.ArrayOf(2, padding)},
		})
	}
	tests := []struct {
		name string
		typ  reflect.Type
		want string // part of the error, or "" if accepted
	}{
		{"padding only", padding, ""},
		{"long enough", byteField(long), ""},
		{"path too long", reflect.ArrayOf(1, byteField(long)), "a field's path is longer than 1000 bytes"},
		{"schema too long", reflect.ArrayOf(1<<14, byteField(long[:900])), "the schema is longer than 4194304 bytes"},
		{"most fields", reflect.ArrayOf(1<<16, byteField("A")), ""},
		{"one field more", reflect.ArrayOf(1<<16+1, byteField("A")), "it has more than 65536 fields"},
	}
	if unsafe.Sizeof(uintptr(0)) == 8 {
		n := 1 << 30
		tests = append(tests, struct {
			name string
			typ  reflect.Type
			want string
		}{"huge", reflect.ArrayOf(n<<8, byteField("A")), "1073741824 (1 GiB) are allowed"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			typ, err := fixed.OfType(tt.typ)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got %.300v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, typ.Schema())
		})
	}
}
