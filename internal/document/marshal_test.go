package document_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

var errFailing = errors.New("first\nsecond")

type failing struct{ A int }

func (failing) MarshalText() ([]byte, error) { return nil, errFailing }
func (*failing) UnmarshalText([]byte) error  { return nil }

type notUTF8 struct{ A int }

func (notUTF8) MarshalText() ([]byte, error) { return []byte("\xff"), nil }
func (*notUTF8) UnmarshalText([]byte) error  { return nil }

// longText is longer as a text than anybody can know beforehand.
type longText struct{ A int }

var eightMiB = []byte(strings.Repeat("x", 8<<20))

func (longText) MarshalText() ([]byte, error) { return eightMiB, nil }
func (*longText) UnmarshalText([]byte) error  { return nil }

type opaqueTag struct{ A int }

func (opaqueTag) MarshalCBOR() ([]byte, error) { return []byte{0xc1, 0x01}, nil }
func (*opaqueTag) UnmarshalCBOR([]byte) error  { return nil }

// deepType is an array within n-1 others.
func deepType(n int) any {
	t := reflect.TypeFor[int]()
	for range n {
		t = reflect.ArrayOf(1, t)
	}
	return reflect.New(t).Elem().Interface()
}

// Values that cannot be sent are refused where they are sent.
func TestMarshalRefuses(t *testing.T) {
	type box struct {
		N int
		V any
		T *time.Time
	}
	cyclic := &tree{Name: "a"}
	cyclic.Up = cyclic
	ring := map[string]any{}
	ring["next"] = []any{ring}
	var self any
	self = &self
	slices := make(list, 1)
	slices[0] = slices
	year, zone := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", 1172))
	large, many := make([]byte, document.MaxSize), make([]int8, document.MaxSize)
	bomb := any(strings.Repeat("lol", 300))
	for range 62 {
		bomb = []any{bomb, bomb, bomb, bomb, bomb, bomb, bomb, bomb}
	}
	const deep = "it is nested more than 64 deep, or leads back to itself"
	const tooLarge = "partywall: too large: as a document the value has more than 67108864 bytes (64 MiB): send it in parts, or in the body"
	tests := []struct {
		name  string
		v     any
		want  string
		wraps error
	}{
		{"a channel", make(chan int), "not a document type: chan int: a channel belongs to one process; leave it out with the tag `cbor:\"-\"`", document.ErrNotDocument},
		{"a channel in an any", box{V: []any{1, make(chan int)}}, "field V[1]: not a document type: chan int: a channel belongs to one process; leave it out with the tag `cbor:\"-\"`", document.ErrNotDocument},
		{"a cyclic struct", cyclic, deep, nil},
		{"a cyclic map", ring, deep, nil},
		{"a cyclic any", box{V: self}, "field V: " + deep, nil},
		{"a cyclic pointer", self, "the value: " + deep, nil},
		{"a cyclic slice", slices, deep, nil},
		{"a deep any", deepAny(65), deep, nil},
		{"a deep type", deepType(65), "nested more than 64 deep", nil},
		{"keys of integers in an any", box{V: map[int]int{1: 1}}, "field V[key]: an integer stands where a key belongs, and in an any a key is a text", nil},
		{"keys of integers in an any's struct", box{V: keyed{}}, "field V[key]: an integer stands where a key belongs, and in an any a key is a text", nil},
		{"a string that is not UTF-8", map[string][]string{"k": {"", "\xff"}}, `field ["k"][1]: it is not valid UTF-8`, nil},
		{"a key that is not UTF-8", map[string]int{"\xff": 1}, "field [key]: it is not valid UTF-8", nil},
		{"a year", box{T: &year}, "field T: the year 10000 has no text in RFC 3339, which has 0 to 9999", nil},
		{"a year in an any", box{V: []time.Time{year}}, "field V[0]: the year 10000 has no text in RFC 3339, which has 0 to 9999", nil},
		{"a zone", []time.Time{zone}, "field [0]: the offset of the time's zone is no whole number of minutes within a day; use its UTC", nil},
		{"a large slice", large, tooLarge, partywall.ErrTooLarge},
		{"a large slice, often", [][]byte{large[:1<<24], large[:1<<24], large[:1<<24], large[:1<<24]}, tooLarge, partywall.ErrTooLarge},
		{"many integers", many, tooLarge, partywall.ErrTooLarge},
		{"many integers in a map", box{V: map[string]any{"a": many}}, tooLarge, partywall.ErrTooLarge},
		{"large texts", make([]longText, 9), tooLarge, partywall.ErrTooLarge},
		{"a bomb", bomb, tooLarge, partywall.ErrTooLarge},
		{"a big memory", make([]struct {
			A [1000]int64 `cbor:",omitzero"`
		}, 10000), fmt.Sprintf("partywall: too large: the value of the document would take more than 64 MiB and more than %d times the document's length: send it in parts", 16<<(^uint(0)>>63)), partywall.ErrTooLarge},
		{"a method that fails", []any{failing{}}, "cbor: cannot marshal text for document_test.failing: first second", errFailing},
		{"a method that writes a tag", opaqueTag{}, "cbor: error calling MarshalCBOR for type document_test.opaqueTag: cbor: CBOR tag isn't allowed", nil},
		{"a method that writes what is not UTF-8", notUTF8{}, "the value: it is not valid UTF-8", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := document.Marshal(tt.v)
			if data != nil || err == nil {
				t.Fatalf("got %d bytes, %v", len(data), err)
			}
			if !strings.HasSuffix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 800 {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
			if tt.wraps != nil && !errors.Is(err, tt.wraps) {
				t.Errorf("%v does not wrap %v", err, tt.wraps)
			}
		})
	}
}

// Documents may be as deep as the limit says.
func TestDeepest(t *testing.T) {
	data := marshal(t, deepAny(document.MaxDepth))
	var v any
	if err := document.Unmarshal(data, &v); err != nil || !reflect.DeepEqual(v, deepAny(document.MaxDepth)) {
		t.Errorf("got %v, %v", v, err)
	}
	if _, err := document.Marshal(deepType(document.MaxDepth)); err != nil {
		t.Error(err)
	}
}

// What an embedded pointer leads to is there if any of it was sent; in a tuple all of
// it is sent, always.
func TestEmbeddedPointer(t *testing.T) {
	if got := roundTrip[basePointer](t, basePointer{}); got.Base != nil {
		t.Errorf("got %v", got.Base)
	}
	if got := roundTrip[tuplePointer](t, tuplePointer{Z: 1}); got.Point == nil || *got.Point != (Point{}) {
		t.Errorf("got %v", got.Point)
	}
}
