package document_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/partywall/partywall/internal/document"
)

type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

type locked struct {
	sync.Mutex
	N int
}

type pointer *pointer

type sealed struct {
	a int //lint:ignore U1000 a field that is not sent
	_ int
}

type (
	onlyMarshalText   struct{ A int }
	onlyUnmarshalText string
	onlyMarshalCBOR   struct{ A int }
	onlyUnmarshalCBOR struct{ A int }
	onlyBinary        struct{ A int }
)

func (onlyMarshalText) MarshalText() ([]byte, error)   { return nil, nil }
func (*onlyUnmarshalText) UnmarshalText([]byte) error  { return nil }
func (onlyMarshalCBOR) MarshalCBOR() ([]byte, error)   { return nil, nil }
func (*onlyUnmarshalCBOR) UnmarshalCBOR([]byte) error  { return nil }
func (onlyBinary) AppendBinary([]byte) ([]byte, error) { return nil, nil }
func (onlyBinary) MarshalBinary() ([]byte, error)      { return nil, nil }

type textual struct{ Hour int }

func (textual) MarshalText() ([]byte, error) { return nil, nil }
func (*textual) UnmarshalText([]byte) error  { return nil }

type speaksForAll struct {
	textual
	Other int
}

type textualToo struct{ Minute int }

func (textualToo) MarshalText() ([]byte, error) { return nil, nil }
func (*textualToo) UnmarshalText([]byte) error  { return nil }

type speaksForNone struct { // the methods of the two hide each other
	textual
	textualToo
}

type rawForAll struct {
	cbor.RawMessage
	Other int
}

type innerPointer struct{ *inner }

type innerNamed struct {
	inner `cbor:"in"`
}

type deep struct {
	A []struct {
		B map[string]*struct{ C chan int }
	}
}

func TestRefused(t *testing.T) {
	const pkg = "document_test."
	const leaveOut = "; leave it out with the tag `cbor:\"-\"`"
	const lock = "a lock must not be copied; leave it out, or give it a name that is not exported"
	const oneLost = "; give it the other"
	tests := []struct {
		typ  reflect.Type
		want string
	}{
		{nil, "the type is nil"},
		{reflect.TypeFor[chan int](), "chan int: a channel belongs to one process" + leaveOut},
		{reflect.TypeFor[struct{ F func() }](), "struct { F func() }: field F (func()): a function belongs to one process" + leaveOut},
		{reflect.TypeFor[deep](), pkg + "deep: field A[].B[].C (chan int): a channel belongs to one process" + leaveOut},
		{reflect.TypeFor[uintptr](), "uintptr: an address means nothing in another process; use uint64 for a number"},
		{reflect.TypeOf(reflect.ValueOf(new(int)).UnsafePointer()), "unsafe.Pointer: an address means nothing in another process; use a pointer to a type"},
		{reflect.TypeFor[[2]complex64](), "[2]complex64: field [0] (complex64): CBOR has no complex numbers; use a struct of two floats"},
		{reflect.TypeFor[error](), "error: what lies behind an interface with methods cannot be decoded; use one type, or any"},
		{reflect.TypeFor[struct{ io.Reader }](), "struct { io.Reader }: field Reader (io.Reader): what lies behind an interface with methods cannot be decoded; use one type, or any"},
		{reflect.TypeFor[struct{ T encoding.TextMarshaler }](), "struct { T encoding.TextMarshaler }: field T (encoding.TextMarshaler): what lies behind an interface with methods cannot be decoded; use one type, or any"},
		{reflect.TypeFor[map[bool]int](), "map[bool]int: its keys, bool, are neither strings nor integers; use those, or a slice of structs with key and value"},
		{reflect.TypeFor[map[any]int](), "map[interface {}]int: its keys, interface {}, are neither strings nor integers; use those, or a slice of structs with key and value"},
		{reflect.TypeFor[map[level]int](), "map[document_test.level]int: its keys, document_test.level, are neither strings nor integers; use those, or a slice of structs with key and value"},
		{reflect.TypeFor[map[[2]byte]int](), "map[[2]uint8]int: its keys, [2]uint8, are neither strings nor integers; use those, or a slice of structs with key and value"},
		{reflect.TypeFor[map[chan int]int](), "map[chan int]int: field [key] (chan int): a channel belongs to one process" + leaveOut},
		{reflect.TypeFor[struct{ M *sync.Mutex }](), "struct { M *sync.Mutex }: field M (sync.Mutex): " + lock},
		{reflect.TypeFor[locked](), pkg + "locked: field Mutex (sync.Mutex): " + lock},
		{reflect.TypeFor[struct{ Locked []locked }](), "struct { Locked []document_test.locked }: field Locked[].Mutex (sync.Mutex): " + lock},
		{reflect.TypeFor[noCopy](), pkg + "noCopy: " + lock},
		{reflect.TypeFor[sync.Locker](), "sync.Locker: " + lock},
		{reflect.TypeFor[struct{ N atomic.Int64 }](), "struct { N atomic.Int64 }: field N (atomic.Int64): an atomic must not be copied; use the value itself"},
		{reflect.TypeFor[pointer](), pkg + "pointer: it is a pointer to itself, or to too many pointers; use a struct that has it as a field"},
		{reflect.TypeFor[struct{ P []*pointer }](), "struct { P []*document_test.pointer }: field P[] (*document_test.pointer): it is a pointer to itself, or to too many pointers; use a struct that has it as a field"},
		{reflect.TypeFor[sealed](), pkg + "sealed: none of its fields is exported, so all would be lost; export them, or give it MarshalText and UnmarshalText"},
		{reflect.TypeFor[struct{ R strings.Reader }](), "struct { R strings.Reader }: field R (strings.Reader): none of its fields is exported, so all would be lost; export them, or give it MarshalText and UnmarshalText"},
		{reflect.TypeFor[onlyMarshalText](), pkg + "onlyMarshalText: it has MarshalText and no UnmarshalText; give it one"},
		{reflect.TypeFor[onlyUnmarshalText](), pkg + "onlyUnmarshalText: it has UnmarshalText and no MarshalText; give it one"},
		{reflect.TypeFor[onlyMarshalCBOR](), pkg + "onlyMarshalCBOR: it has only one of MarshalCBOR and UnmarshalCBOR" + oneLost},
		{reflect.TypeFor[onlyUnmarshalCBOR](), pkg + "onlyUnmarshalCBOR: it has only one of MarshalCBOR and UnmarshalCBOR" + oneLost},
		{reflect.TypeFor[onlyBinary](), pkg + "onlyBinary: it has MarshalBinary or UnmarshalBinary, which documents do not use; give it MarshalText and UnmarshalText, or MarshalCBOR and UnmarshalCBOR, or send the bytes as []byte"},
		{reflect.TypeFor[struct{ U *url.URL }](), "struct { U *url.URL }: field U (url.URL): it has MarshalBinary or UnmarshalBinary, which documents do not use; give it MarshalText and UnmarshalText, or MarshalCBOR and UnmarshalCBOR, or send the bytes as []byte"},
		{reflect.TypeFor[*big.Int](), "big.Int: its encoding would need a CBOR tag; use a string with its String, or its Bytes"},
		{reflect.TypeFor[cbor.Tag](), "cbor.Tag: a document has no CBOR tags and no simple values but false, true and null; use cbor.RawMessage or a type of your own"},
		{reflect.TypeFor[speaksForAll](), pkg + "speaksForAll: the MarshalText of its embedded textual would speak for all its fields; give the embedded field a name"},
		{reflect.TypeFor[struct {
			time.Time
			X int
		}](), "struct { time.Time; X int }: the MarshalText of its embedded Time would speak for all its fields; give the embedded field a name"},
		{reflect.TypeFor[struct{ *textual }](), "struct { *document_test.textual }: its embedded textual, whose methods encode it, may be nil; give the embedded field a name"},
		{reflect.TypeFor[rawForAll](), pkg + "rawForAll: the MarshalCBOR of its embedded RawMessage would speak for all its fields; give the embedded field a name"},
		{reflect.TypeFor[speaksForNone](), pkg + "speaksForNone: field textual (document_test.textual): it is embedded, so the methods that encode it would not be used; give the field a name"},
		{reflect.TypeFor[innerPointer](), pkg + "innerPointer: field inner (*document_test.inner): a pointer to an unexported struct cannot be set when it is decoded; embed the struct itself, or export its name"},
		{reflect.TypeFor[innerNamed](), pkg + "innerNamed: field inner (document_test.inner): it has a name in its tag, and its name in Go is not exported; export it, or leave the name out of the tag"},
		{reflect.TypeFor[struct {
			A int `cbor:"one,keyasint"`
		}](), "struct { A int \"cbor:\\\"one,keyasint\\\"\" }: field A (int): its tag says keyasint, and its name is no integer; give it one"},
		{reflect.TypeFor[struct {
			A int `cbor:"a\tb"`
		}](), "struct { A int \"cbor:\\\"a\\\\tb\\\"\" }: field A (int): the name \"a\\tb\" has '\\t', which cannot be printed; give it another in its tag"},
		{reflect.TypeFor[struct {
			_ struct{} `cbor:",toarray"`
			A int      `cbor:"1"`
			B int      `cbor:"1,keyasint"`
		}](), "struct { _ struct {} \"cbor:\\\",toarray\\\"\"; A int \"cbor:\\\"1\\\"\"; B int \"cbor:\\\"1,keyasint\\\"\" }: field B (int): another field has that name too; give it another in its tag"},
		{reflect.TypeFor[[1 << 26]int8](), "[67108864]int8: it takes more than 67108864 bytes (64 MiB) as a document; make it smaller"},
		{reflect.TypeFor[struct{ A *[1 << 13][1 << 13]int }](), "[8192][8192]int: it takes more than 67108864 bytes (64 MiB) as a document; make it smaller"},
	}
	for _, tt := range tests {
		title := "nil"
		if tt.typ != nil {
			title = tt.typ.String()
		}
		t.Run(title, func(t *testing.T) {
			typ, err := document.OfType(tt.typ)
			if typ != nil || !errors.Is(err, document.ErrNotDocument) {
				t.Fatalf("got %v, %v", typ, err)
			}
			if want := document.ErrNotDocument.Error() + ": " + tt.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			if _, again := document.OfType(tt.typ); !errors.Is(again, document.ErrNotDocument) || tt.typ != nil && again != err {
				t.Errorf("asked again: %v", again)
			}
		})
	}
}

// Types that only a program can make are refused before they cost much.
func TestRefusedSizes(t *testing.T) {
	nest := reflect.TypeFor[int]()
	for range 1001 {
		nest = reflect.SliceOf(nest)
	}
	var many []reflect.StructField
	for i := range 500 {
		many = append(many, reflect.StructField{Name: fmt.Sprintf("F%d%s", i, strings.Repeat("x", 900)), Type: reflect.TypeFor[int]()})
	}
	long := many[0]
	long.Name = "F" + strings.Repeat("x", 1000)
	tests := []struct {
		typ  reflect.Type
		want string
	}{
		{nest, ": it lies within more than 1000 types; nest less"},
		{reflect.StructOf(many), ": its schema is too large: it takes 454904 bytes, more than 409600; use fewer fields and shorter names"},
		{reflect.StructOf([]reflect.StructField{long}), ": the name has 1001 bytes, more than 1000; give it another in its tag"},
	}
	for _, tt := range tests {
		_, err := document.OfType(tt.typ)
		if !errors.Is(err, document.ErrNotDocument) || !strings.HasSuffix(err.Error(), tt.want) {
			text := fmt.Sprint(err)
			t.Errorf("got %s, want %s", text[max(0, len(text)-200):], tt.want)
		}
	}
}

// What looks like the above, and is not.
func TestNotRefused(t *testing.T) {
	type hidesLock struct {
		mu sync.Mutex //lint:ignore U1000 a field that is not sent
		N  int
	}
	type leavesOut struct {
		C chan int         `cbor:"-"`
		F func()           `json:"-"`
		L struct{ mu int } `cbor:"-"`
	}
	type Nested struct{ *Nested }
	tests := []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[hidesLock](), "{N int64}"},
		{reflect.TypeFor[leavesOut](), "{}"},
		{reflect.TypeFor[Nested](), "{}"},
		{reflect.TypeFor[struct{ _ int }](), "{}"},
		{reflect.TypeFor[struct{ time.Time }](), "text"},
		{reflect.TypeFor[textual](), "text"},
		{reflect.TypeFor[struct{ T textual }](), "{T text}"},
		{reflect.TypeFor[struct{ Embedded textual }](), "{Embedded text}"},
		{reflect.TypeFor[json.RawMessage](), "[]byte"},
		{reflect.TypeFor[json.Number](), "string"},
		{reflect.TypeFor[time.Duration](), "int64"},
		{reflect.TypeFor[cbor.ByteString](), "any"},
		{reflect.TypeFor[http.Header](), "map[string][]string"},
		{reflect.TypeFor[big.Float](), "text"},
		{reflect.TypeFor[[]level](), "[]text"},
		{reflect.TypeFor[[0]byte](), "[]byte"},
		{reflect.TypeFor[***int](), "*int64"},
	}
	for _, tt := range tests {
		typ, err := document.OfType(tt.typ)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := typ.Schema().Signature(); got != tt.want {
			t.Errorf("%v: got %s, want %s", typ, got, tt.want)
		}
		if _, err := document.Marshal(reflect.New(tt.typ).Elem().Interface()); err != nil {
			t.Errorf("%v: %v", typ, err)
		}
	}
}

func TestHasOptional(t *testing.T) {
	type optional struct {
		A int `json:",omitempty"`
	}
	type Embeds struct{ optional }
	tests := []struct {
		typ  reflect.Type
		want bool
	}{
		{reflect.TypeFor[int](), false},
		{reflect.TypeFor[Base](), false},
		{reflect.TypeFor[optional](), true},
		{reflect.TypeFor[Embeds](), true},
		{reflect.TypeFor[struct{ B [2]struct{ O optional } }](), true},
		{reflect.TypeFor[[3]optional](), true},
		{reflect.TypeFor[[]optional](), false},
		{reflect.TypeFor[*optional](), false},
		{reflect.TypeFor[struct {
			A int `cbor:"a,omitzero"`
		}](), true},
		{reflect.TypeFor[struct {
			A int `cbor:"a" json:",omitzero"`
		}](), false},
		{reflect.TypeFor[struct {
			A optional `cbor:"-"`
			B int      `cbor:"omitempty"`
			c optional
		}](), false},
	}
	for _, tt := range tests {
		if got := document.HasOptional(tt.typ); got != tt.want {
			t.Errorf("%v: got %v", tt.typ, got)
		}
	}
}

// Types whose documents are the same have the same schema, byte for byte.
func TestEncodedEqual(t *testing.T) {
	type id int64
	type Point struct{ X, Y id }
	type Vector struct {
		hidden int //lint:ignore U1000 a field that is not sent
		X, Y   int
	}
	type cycle struct {
		Next *struct {
			Next *cycle
		}
	}
	type self struct{ Next *self }
	pairs := [][2]*document.Type{
		{typeOf[Point](t), typeOf[Vector](t)},
		{typeOf[struct{ A, B Point }](t), typeOf[struct {
			A Vector
			B struct{ X, Y int64 }
		}](t)},
		{typeOf[cycle](t), typeOf[self](t)},
		{typeOf[*int](t), typeOf[**int64](t)},
	}
	for _, p := range pairs {
		if string(p[0].Encoded()) != string(p[1].Encoded()) {
			t.Errorf("%v: %v\n%v: %v", p[0], p[0].Schema(), p[1], p[1].Schema())
		}
	}
}
