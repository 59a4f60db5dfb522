package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

// Two versions of a type, as two programs might have them.
type (
	query1 struct {
		Text   string
		Limit  int
		Filter []filter1
		Note   string `cbor:",omitempty"`
	}
	filter1 struct {
		Field string
		Min   int32
		Old   bool `cbor:",omitempty"`
	}

	query2 struct {
		Filter []*filter2
		Page   uint32 `cbor:",omitempty"`
		Limit  int64  `cbor:",omitzero"`
		Text   *string
	}
	filter2 struct {
		Min   int32
		Field string
		Tags  map[string]string `cbor:",omitempty"`
	}
)

func TestVersions(t *testing.T) {
	one, two := schemaOf[query1](t), schemaOf[query2](t)
	if err := document.Match(one, two); err != nil {
		t.Fatal(err)
	}
	if err := document.Match(two, one); err != nil {
		t.Fatal(err)
	}
	text := "x"
	v1 := query1{Text: "x", Limit: 3, Filter: []filter1{{"f", 1, true}}, Note: "n"}
	v2 := query2{Text: &text, Limit: 3, Filter: []*filter2{{Field: "f", Min: 1}}}
	if diff := cmp.Diff(v2, roundTrip[query2](t, v1)); diff != "" {
		t.Errorf("the new one reads (-want +got):\n%s", diff)
	}
	v2.Page, v2.Filter[0].Tags = 7, map[string]string{"a": "b"}
	v1.Note, v1.Filter[0].Old = "", false
	if diff := cmp.Diff(v1, roundTrip[query1](t, v2)); diff != "" {
		t.Errorf("the old one reads (-want +got):\n%s", diff)
	}
	// What the old one does not need to send the new one does not need to get,
	// and null is zero.
	if diff := cmp.Diff(query1{Filter: []filter1{{}}}, roundTrip[query1](t, query2{Filter: []*filter2{nil}})); diff != "" {
		t.Errorf("the old one reads zeros (-want +got):\n%s", diff)
	}
}

type recursive1 struct {
	Name string
	Kids []recursive1
}

type recursive2 struct {
	Name string
	Kids []struct {
		Name string
		Kids []*recursive2
	}
}

type recursive3 struct {
	Name string
	Kids []struct {
		Name string
		Kids []struct{ Name []byte }
	}
}

func TestMatch(t *testing.T) {
	base := schemaOf[Base](t)
	tests := []struct {
		name         string
		mine, theirs *document.Schema
		want         string // after the sentinel's text, or "" for a match
		back         string // the other way round
	}{
		{"itself", base, base, "", ""},
		{"order", base, schemaOf[struct {
			N    uint `cbor:"n"`
			Name string
		}](t), "", ""},
		{"missing", base, schemaOf[struct{ Name string }](t),
			"field n (uint64) is missing there; tag it omitempty if it may be left out",
			"field n (uint64) is extra there; only what is tagged omitempty there may be extra"},
		{"renamed", schemaOf[struct{ F struct{ X int } }](t), schemaOf[struct{ F struct{ Y int } }](t),
			"field F.X (int64) is missing there; tag it omitempty if it may be left out",
			"field F.Y (int64) is missing there; tag it omitempty if it may be left out"},
		{"key and name", schemaOf[struct {
			A int `cbor:"1,keyasint,omitempty"`
		}](t), schemaOf[struct {
			A int `cbor:"1,omitempty"`
		}](t), "", ""},
		{"kind", schemaOf[struct{ L []Base }](t), schemaOf[struct {
			L []struct {
				Name []byte
				N    uint `cbor:"n"`
			}
		}](t), "field L[].Name: it is string here and []byte there", "field L[].Name: it is []byte here and string there"},
		{"bits", schemaOf[int32](t), schemaOf[int](t), "the value: it is int32 here and int64 there", "the value: it is int64 here and int32 there"},
		{"sign", schemaOf[map[string]int8](t), schemaOf[map[string]uint8](t), "field []: it is int8 here and uint8 there", "field []: it is uint8 here and int8 there"},
		{"key", schemaOf[map[string]int8](t), schemaOf[map[int]int8](t), "field [key]: it is string here and int64 there", "field [key]: it is int64 here and string there"},
		{"length", schemaOf[[2]int8](t), schemaOf[[3]int8](t), "the value: it is [2]int8 here and [3]int8 there", "the value: it is [3]int8 here and [2]int8 there"},
		{"bytes", schemaOf[[2]byte](t), schemaOf[[]byte](t), "the value: it is [2]byte here and []byte there", "the value: it is []byte here and [2]byte there"},
		{"list", schemaOf[[]int8](t), schemaOf[[1]int8](t), "the value: it is []int8 here and [1]int8 there", "the value: it is [1]int8 here and []int8 there"},
		{"any", schemaOf[any](t), schemaOf[int8](t), "the value: it is any here and int8 there", "the value: it is int8 here and any there"},
		{"anys", schemaOf[any](t), schemaOf[opaque](t), "", ""},
		{"text", schemaOf[level](t), schemaOf[string](t), "the value: it is text here and string there", "the value: it is string here and text there"},
		{"time", schemaOf[time.Time](t), schemaOf[level](t), "the value: it is time here and text there", "the value: it is text here and time there"},
		{"pointer", schemaOf[*Base](t), base, "", ""},
		{"pointer to another", schemaOf[*string](t), schemaOf[int8](t), "the value: it is string here and int8 there", "the value: it is int8 here and string there"},
		{"struct and tuple", schemaOf[struct{ X, Y int16 }](t), schemaOf[struct {
			_    struct{} `cbor:",toarray"`
			X, Y int16
		}](t), "the value: it is {X int16, Y int16} here and (X int16, Y int16) there", "the value: it is (X int16, Y int16) here and {X int16, Y int16} there"},
		{"tuple", schemaOf[pair](t), schemaOf[struct {
			_    struct{} `cbor:",toarray"`
			X, Y int16
		}](t), "the value: the tuple has 3 fields here and 2 there", "the value: the tuple has 2 fields here and 3 there"},
		{"tuple order", schemaOf[struct{ P pair }](t), schemaOf[struct {
			P struct {
				_    struct{} `cbor:",toarray"`
				Y, X int16
				Note string
			}
		}](t), "field P: field 0 of the tuple is X here and Y there", "field P: field 0 of the tuple is Y here and X there"},
		{"tuple field", schemaOf[pair](t), schemaOf[struct {
			_    struct{} `cbor:",toarray"`
			X    int16
			Y    int32
			Note string
		}](t), "field Y: it is int16 here and int32 there", "field Y: it is int32 here and int16 there"},
		{"recursive", schemaOf[recursive1](t), schemaOf[recursive2](t), "", ""},
		{"not so recursive", schemaOf[recursive1](t), schemaOf[recursive3](t),
			"field Kids[].Kids[].Kids ([]{Name string, Kids ...}) is missing there; tag it omitempty if it may be left out",
			"field Kids[].Kids[].Kids ([]{Name string, Kids ...}) is extra there; only what is tagged omitempty there may be extra"},
		{"least deep first", schemaOf[struct {
			A struct{ B struct{ C int8 } }
			Z int8
		}](t), schemaOf[struct {
			A struct{ B struct{ C int16 } }
			Z int16
		}](t), "field Z: it is int8 here and int16 there", "field Z: it is int16 here and int8 there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			matches(t, document.Match(tt.mine, tt.theirs), tt.want)
			matches(t, document.Match(tt.theirs, tt.mine), tt.back)
		})
	}
}

func matches(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "":
		if err != nil {
			t.Error(err)
		}
	case !errors.Is(err, partywall.ErrLayout):
		t.Errorf("got %v", err)
	case err.Error() != partywall.ErrLayout.Error()+": "+want:
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

// A chain is n nested nodes of the kind, with a leaf at its end.
func chain(n int, node document.Node, leaf document.Kind) *document.Schema {
	s := &document.Schema{Nodes: make([]document.Node, n+1)}
	for i := range n {
		s.Nodes[i] = node
		if node.Kind == document.Struct {
			s.Nodes[i].Fields = []document.Field{{Name: "a", Type: uint32(i + 1), Optional: true}}
		} else {
			s.Nodes[i].Elem = uint32(i + 1)
		}
	}
	s.Nodes[n] = document.Node{Kind: leaf}
	return s
}

// The work of Match is bounded, and so is what it says.
func TestMatchBounded(t *testing.T) {
	// Rings of lists whose lengths have no common divisor: the pairs of one with
	// the other are the product of their lengths.
	ring := func(n int) *document.Schema {
		s := chain(n-1, document.Node{Kind: document.List}, document.List)
		s.Nodes[n-1].Elem = 0
		return s
	}
	// Structs whose fields lead to all nodes: the fields of the pairs are the
	// product of the fields of the sides.
	dense := func(n int) *document.Schema {
		s := &document.Schema{Nodes: make([]document.Node, n)}
		for i := range s.Nodes {
			s.Nodes[i].Kind = document.Struct
			for j := range n {
				s.Nodes[i].Fields = append(s.Nodes[i].Fields, document.Field{Name: fmt.Sprint((i*j)%n, j), Type: uint32(j), Optional: true})
			}
		}
		return s
	}
	const largest = document.MaxNodes - 1
	tests := []struct {
		name         string
		mine, theirs *document.Schema
		want         string
	}{
		{"deepest", chain(largest, document.Node{Kind: document.List}, document.Bool), chain(largest, document.Node{Kind: document.List}, document.Bool), ""},
		{"deepest structs", chain(20000, document.Node{Kind: document.Struct}, document.Bool), chain(20000, document.Node{Kind: document.Struct}, document.Bool), ""},
		{"different at the end", chain(20000, document.Node{Kind: document.Struct}, document.Bool), chain(20000, document.Node{Kind: document.Struct}, document.Any), "it is bool here and any there"},
		{"different lengths", chain(largest, document.Node{Kind: document.List}, document.Bool), chain(largest-1, document.Node{Kind: document.List}, document.Bool), "here and bool there"},
		{"small rings", ring(200), ring(201), ""},
		{"rings", ring(2000), ring(2001), "the types are too intricate to be compared"},
		{"dense itself", dense(200), dense(200), ""},
		{"dense", dense(200), dense(199), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			err := document.Match(tt.mine, tt.theirs)
			t.Logf("%v", time.Since(start))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, partywall.ErrLayout) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if err != nil && len(err.Error()) > 1500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}
