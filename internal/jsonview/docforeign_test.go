package jsonview_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/jsonview"
)

// What a document holds beyond its type, or in a form that this package does not
// write itself.
func TestDocumentLenient(t *testing.T) {
	type floats struct {
		F float32
		T time.Time
		M map[int8]bool
		N map[string]any
		P *int
		K int `cbor:"7,keyasint"`
	}
	for _, test := range []struct{ name, doc, want string }{
		{"unknown", "a2 617a 8101 6146 01", `{"F":1}`},
		{"unknown key", "a2 05 f6 6146 01", `{"F":1}`},
		{"keyed", "a2 07 05 6146 01", `{"F":1,"7":5}`},
		{"other key", "a3 6137 05 07 06 6146 01", `{"F":1,"7":6}`},
		{"null fields", "a5 6146f6 6154f6 614df6 614ef6 6150f6", `{"F":0,"T":"0001-01-01T00:00:00Z","M":null,"N":null,"P":null}`},
		{"null", "f6", `{}`},
		{"skipped", "a3 6178 a2 6161 8100 6162 4101 6179 fb0000000000000000 6146 01", `{"F":1}`},
		{"integer", "a1 6146 3863", `{"F":-100}`},
		{"double", "a1 6146 fb3fb999999999999a", `{"F":0.1}`},
		{"other order", "a2 6154 74 323030362d30312d30325431353a30343a30355a 6146 01", `{"F":1,"T":"2006-01-02T15:04:05Z"}`},
		{"comma in time", "a1 6154 76 323030362d30312d30325431353a30343a30352c315a", `{"T":"2006-01-02T15:04:05.1Z"}`},
		{"long heads", "b900 01 7a00000001 4d b801 1900 01 f5", `{"M":{"1":true}}`},
		{"unsorted", "a1 614d a3 09f5 03f4 20f6", `{"M":{"9":true,"3":false,"-1":false}}`},
		{"any", "a1 614e a2 6162 4101 6161 3bffffffffffffffff", `{"N":{"b":"AQ==","a":-18446744073709551616}}`},
		{"any keys", "a1 614e a2 6161 a6 01f4 f5f4 f6f4 420102f4 f93c00f4 f97e00f4 6162 00",
			`{"N":{"a":{"1":false,"true":false,"null":false,"AQI=":false,"1.0":false,"NaN":false},"b":0}}`},
		{"controls", "a1 614e a1 6a 1b7f00c2850af3a08181 f6", `{"N":{"\u001b\u007f\u0000\u0085\n\udb40\udc41":null}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := hex.DecodeString(strings.ReplaceAll(test.doc, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			got, err := jsonview.DocumentToJSON(documentSchema(t, reflect.TypeFor[floats]()), doc)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if !json.Valid(got) {
				t.Errorf("%s is not JSON", got)
			}
		})
	}
}

// all has one of each kind.
type all struct {
	B bool
	I int8
	U uint16
	F float32
	S string
	D []byte
	H [2]byte
	T time.Time
	L []int8
	A [2]int8
	P pair
	M map[int8]bool
	N map[string]bool
	X any
	K *struct{ I int8 }
}

// Bytes that are no document of the type.
func TestDocumentForeign(t *testing.T) {
	for _, test := range []struct{ doc, want string }{
		{"", "it ends too early"},
		{"a1", "it ends too early"},
		{"a0 00", "cbor: 1 bytes of extraneous data starting at index 1"},
		{"9f ff", "cbor: indefinite-length array isn't allowed"},
		{"a1 6158 c000", "cbor: CBOR tag isn't allowed"},
		{"a1 617a c000", "cbor: CBOR tag isn't allowed"},
		{"a1 6158 f7", "cbor: data item of cbor type primitives is not accepted by protocol: simple value 23 is not recognized"},
		{"a1 6158 f820", "cbor: data item of cbor type primitives is not accepted by protocol: simple value 32 is not recognized"},
		{"80", "an array, where a map is needed"},
		{"a1 f4 00", "a bool, where the name of a field is needed"},
		{"a2 6142 f4 6142 f4", `"B" stands twice`},
		{"a1 6142 00", "B: an integer, where bool is needed"},
		{"a1 6149 6100", "I: a text, where int8 is needed"},
		{"a1 6149 f93c00", "I: a float, where int8 is needed"},
		{"a1 6149 1880", "I: 128 is out of range for int8"},
		{"a1 6149 3880", "I: -129 is out of range for int8"},
		{"a1 6149 3bffffffffffffffff", "I: -18446744073709551616 is out of range for int8"},
		{"a1 6155 20", "U: -1 is out of range for uint16"},
		{"a1 6155 1a00010000", "U: 65536 is out of range for uint16"},
		{"a1 6146 f4", "F: a bool, where float32 is needed"},
		{"a1 6146 fb7e37e43c8800759c", "F: 1e+300 is out of range for float32"},
		{"a1 6146 3bffffffffffffffff", "F: -18446744073709551616 is out of range for float32 from an integer"},
		{"a1 6153 4161", "S: bytes, where a text is needed"},
		{"a1 6153 61ff", "S: a text that is not UTF-8"},
		{"a1 6144 6161", "D: a text, where bytes is needed"},
		{"a1 6148 43010203", "H: 3 bytes, where 2 are needed"},
		{"a1 6154 00", "T: an integer, where a time as a text is needed"},
		{"a1 6154 61ff", `T: "\xff" is no time of RFC 3339`},
		{"a1 614c a0", "L: a map, where a list is needed"},
		{"a1 614c 8200f4", "L[1]: a bool, where int8 is needed"},
		{"a1 6141 8100", "A: an array of 1, where 2 are needed"},
		{"a1 6150 8160", "P: an array of 1, where 2 are needed"},
		{"a1 614d 80", "M: an array, where a map is needed"},
		{"a1 614d a16161f4", "M: key: a text, where int8 is needed"},
		{"a1 614d a1f6f4", "M: key: null, where int8 is needed"},
		{"a1 614d a11880f4", "M: key: 128 is out of range for int8"},
		{"a1 614d a20500", "it ends too early"},
		{"a1 614d a105 00", "M[5]: an integer, where bool is needed"},
		{"a1 614d a2 05f4 1805f4", `M: key "5" stands twice`},
		{"a1 614d a3 0af4 09f4 0af4", `M: key "10" stands twice`},
		{"a1 614e a2 6161f4 780161f4", `N: key "a" stands twice`},
		{"a1 614e a3 6162f4 6161f4 6162f4", `N: key "b" stands twice`},
		{"a1 614e a1 00f4", "N: key: an integer, where a text is needed"},
		{"a1 614e a1 63612062 00", `N["a b"]: an integer, where bool is needed`},
		{"a1 6158 a1 61ff 00", "X: key: a text that is not UTF-8"},
		{"a1 6158 81 61ff", "X[0]: a text that is not UTF-8"},
		{"a1 6158 a1 8000", "X: key: an array, where a text is needed"},
		{"a1 6158 a2 0100 613100", `X: key "1" stands twice`},
		{"a1 614b a1 6149 60", "K.I: a text, where int8 is needed"},
	} {
		doc, err := hex.DecodeString(strings.ReplaceAll(test.doc, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		got, err := jsonview.DocumentToJSON(documentSchema(t, reflect.TypeFor[all]()), doc)
		if !errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("%s: %s, %v", test.doc, got, err)
			continue
		}
		if want := partywall.ErrProtocol.Error() + ": document: " + test.want; err.Error() != want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.doc, err, want)
		}
	}
}

// null is the zero value of every type.
func TestDocumentNulls(t *testing.T) {
	doc := append([]byte{0x80 | 15}, bytes.Repeat([]byte{0xf6}, 15)...)
	got, err := jsonview.DocumentToJSON(documentSchema(t, reflect.TypeFor[struct {
		_ struct{} `cbor:",toarray"`
		B bool
		I int8
		U uint16
		F float32
		S string
		D []byte
		H [2]byte
		T time.Time
		L []int8
		A [2]int8
		P pair
		M map[int8]bool
		X any
		K *int
		R record
	}]()), doc)
	const want = `[false,0,0,0,"",null,"","0001-01-01T00:00:00Z",null,[],[],null,null,null,{}]`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

// Two fields that only their kinds of keys tell apart cannot both be in JSON.
func TestAmbiguousSchema(t *testing.T) {
	type ambiguous struct {
		A int `cbor:"1"`
		B int `cbor:"1,keyasint"`
	}
	s := documentSchema(t, reflect.TypeFor[ambiguous]())
	want := partywall.ErrProtocol.Error() + ": schema: a struct has two fields that are called 1 in JSON"
	if _, err := jsonview.DocumentFromJSON(s, []byte("{}")); err == nil || err.Error() != want || !errors.Is(err, partywall.ErrProtocol) {
		t.Error(err)
	}
	if _, err := jsonview.DocumentToJSON(s, []byte{0xa0}); err == nil || err.Error() != want {
		t.Error(err)
	}
}

func TestDocumentTooLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes 200 MB")
	}
	doc := append([]byte{0x5a, 4, 0, 0, 0}, make([]byte, document.MaxSize)...)
	_, err := jsonview.DocumentToJSON(documentSchema(t, reflect.TypeFor[any]()), doc)
	if !errors.Is(err, partywall.ErrProtocol) {
		t.Error(err)
	}
	_, err = jsonview.DocumentFromJSON(documentSchema(t, reflect.TypeFor[struct {
		A [document.MaxSize - 50]bool
		B string
	}]()), []byte(`{"A":[],"B":"`+strings.Repeat("a", 50)+`"}`))
	if !errors.Is(err, partywall.ErrTooLarge) || !errors.Is(err, jsonview.ErrInput) {
		t.Error(err)
	}
	// A few bytes of JSON can stand for many of a document.
	_, err = documentFrom[[][1 << 20]bool](t, "["+strings.Repeat("[],", 99)+"[]]")
	if !errors.Is(err, partywall.ErrTooLarge) || !errors.Is(err, jsonview.ErrInput) || err.Error() != "[63]: the document takes more than 67108864 bytes" {
		t.Error(err)
	}
}
