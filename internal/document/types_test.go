package document_test

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type inner struct{ A, B int8 }

type Base struct {
	Name  string
	Count uint `cbor:"n"`
}

type basePointer struct {
	*Base
	Own bool
}

type shadow struct {
	Base
	Name int32 // hides Base.Name
}

type embedded struct {
	inner
	Base `json:",omitempty"`
	Last string
}

type tagged struct {
	A int  `cbor:"a" json:"b"`
	B int  `json:"bee,omitempty"`
	C int  `cbor:"-"`
	D int  `json:"-"`
	E int  `cbor:"-,"`
	F int  `cbor:",omitzero"`
	G int  `json:",string"`
	h int  //lint:ignore U1000 a field that is not sent
	I *int `cbor:"i,omitempty"`
}

type keyed struct {
	A string `cbor:"1,keyasint"`
	B string `cbor:"-007,keyasint,omitempty"`
	C string `cbor:"1"`
}

type pair struct {
	_    struct{} `cbor:",toarray"`
	X, Y int16
	Note string `cbor:",omitempty"`
}

type tree struct {
	Name string          `cbor:"name"`
	Kids []tree          `cbor:"kids,omitempty"`
	By   map[string]tree `cbor:"by,omitempty"`
	Up   *tree
}

type list []list

type opaque struct{ n int }

func (o opaque) MarshalCBOR() ([]byte, error)     { return cbor.Marshal(o.n) }
func (o *opaque) UnmarshalCBOR(data []byte) error { return cbor.Unmarshal(data, &o.n) }

// level is a text and an integer.
type level int

func (l level) MarshalText() ([]byte, error) { return []byte(strings.Repeat("!", int(l))), nil }

func (l *level) UnmarshalText(text []byte) error {
	*l = level(len(text))
	if strings.Trim(string(text), "!") != "" {
		return fmt.Errorf("no\nlevel: %q", text)
	}
	return nil
}

type (
	Left  struct{ Base }
	Right struct{ Base }

	twice struct { // Base is there twice, at one depth
		Left
		Right
		Count int `cbor:"count"`
	}
	again struct { // Base is there twice, and the less deep one is meant
		Left
		Base
	}
	taggedWins struct {
		Inner1 struct{ X int }
		Embed1
		Embed2
	}
	Embed1 struct {
		X int8
		Y int8
	}
	Embed2 struct {
		Z int16 `cbor:"X"`
		Y int16
	}
)

type stamped struct{ time.Time }

// special has everything that the library handles by itself.
type special struct {
	At   time.Time
	Addr netip.Addr
	Lvl  level
	Op   opaque
	Any  any
	Ptr  *time.Time
	Map  map[string]opaque
}

type embedsSpecial struct{ special }

type Point struct{ X, Y int }

type tuplePointer struct {
	_ struct{} `cbor:",toarray"`
	*Point
	Z int
}

type all struct {
	Bool    bool
	Int     int
	Int8    int8
	Uint16  uint16
	Float32 float32
	Float64 float64
	String  string
	Bytes   []byte
	Hash    [4]byte
	Time    time.Time
	Addr    netip.Addr
	Any     any
	List    []inner
	Array   [2]int32
	Map     map[int8]string
	Pair    pair
	Ptr     **int64
	Raw     cbor.RawMessage
}
