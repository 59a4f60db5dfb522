package jsonview_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/jsonview"
)

type tree struct {
	Name string
	Kids []tree `cbor:",omitempty"`
}

type pair struct {
	_    struct{} `cbor:",toarray"`
	Key  string
	Sure *bool
}

type record struct {
	Title  string          `json:"title"`
	Count  int             `json:"count,omitempty"`
	Small  uint8           `json:"small"`
	Ratio  float32         `json:"ratio"`
	Data   []byte          `json:"data"`
	When   time.Time       `json:"when"`
	From   netip.Addr      `json:"from"`
	Extra  any             `json:"extra"`
	Tags   []string        `json:"tags"`
	Grid   [2][2]int16     `json:"grid"`
	ByName map[string]int  `json:"by_name"`
	ByCode map[int8]string `json:"by_code"`
	Next   *record         `json:"next,omitempty"`
	On     bool            `json:"on"`
}

type special struct {
	Hash  [4]byte
	Pairs []pair
	Codes struct {
		One int    `cbor:"1,keyasint"`
		Two string `cbor:"-2,keyasint,omitempty"`
	}
	Wide  uint64
	Ratio float64
	Tree  *tree
	Ports map[uint16]bool
}

func documentSchema(tb testing.TB, t reflect.Type) *document.Schema {
	tb.Helper()
	typ, err := document.OfType(t)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := document.ParseSchema(typ.Encoded())
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// documentFrom reads text as a T.
func documentFrom[T any](tb testing.TB, text string) (v T, err error) {
	tb.Helper()
	b, err := jsonview.DocumentFromJSON(documentSchema(tb, reflect.TypeFor[T]()), []byte(text))
	if err != nil {
		return v, err
	}
	if err := document.Unmarshal(b, &v); err != nil {
		tb.Fatalf("%x: %v", b, err)
	}
	return v, nil
}

// documentTo writes v.
func documentTo(tb testing.TB, v any) string {
	tb.Helper()
	b, err := document.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := jsonview.DocumentToJSON(documentSchema(tb, reflect.TypeOf(v)), b)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

var compareDocuments = cmp.Options{
	cmpopts.EquateNaNs(),
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.IgnoreUnexported(pair{}),
}

func documentReads[T any](v T, text string) func(*testing.T) {
	return func(t *testing.T) {
		got, err := documentFrom[T](t, text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, got, compareDocuments); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
	}
}

func documentBoth[T any](v T, text string) func(*testing.T) {
	return func(t *testing.T) {
		documentReads(v, text)(t)
		if got := documentTo(t, v); got != text {
			t.Errorf("written as %s\nwant       %s", got, text)
		}
		got, err := jsonview.DocumentFromJSON(documentSchema(t, reflect.TypeFor[T]()), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		want, err := document.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("the document is %x\nwant            %x", got, want)
		}
	}
}

func sampleRecord() record {
	return record{
		Title: "a <b> & \u2028\"c\"", Count: -7, Small: 200, Ratio: 0.1,
		Data: []byte{0xff, 0xfe}, When: time.Date(2024, 2, 29, 12, 30, 0, 5000, time.FixedZone("", 3600)),
		From: netip.MustParseAddr("::1"), Extra: map[string]any{"list": []any{1.5, "x", nil, true, false}},
		Tags: []string{}, Grid: [2][2]int16{{1, 2}, {3, 4}},
		ByName: map[string]int{"b": 1, "aa": 2, "": 3}, ByCode: map[int8]string{-1: "m", 0: "z", 10: "t", 9: "n"},
		Next: &record{Title: "next", From: netip.MustParseAddr("10.0.0.1")},
	}
}

func TestDocument(t *testing.T) {
	yes := true
	special1 := special{
		Hash:  [4]byte{'a', 'b'},
		Pairs: []pair{{Key: "x", Sure: &yes}, {Key: "y"}},
		Wide:  math.MaxUint64, Ratio: math.Inf(-1),
		Tree:  &tree{"root", []tree{{"left", nil}, {"right", []tree{{"leaf", nil}}}}},
		Ports: map[uint16]bool{443: true, 80: false},
	}
	special1.Codes.One, special1.Codes.Two = 1, "two"

	for name, test := range map[string]func(*testing.T){
		"record": documentBoth(sampleRecord(), `{"title":"a <b> & \u2028\"c\"","count":-7,"small":200,"ratio":0.1,`+
			`"data":"//4=","when":"2024-02-29T12:30:00.000005+01:00","from":"::1","extra":{"list":[1.5,"x",null,true,false]},`+
			`"tags":[],"grid":[[1,2],[3,4]],"by_name":{"":3,"b":1,"aa":2},"by_code":{"0":"z","9":"n","10":"t","-1":"m"},`+
			`"next":{"title":"next","small":0,"ratio":0,"data":null,"when":"0001-01-01T00:00:00Z","from":"10.0.0.1","extra":null,`+
			`"tags":null,"grid":[[0,0],[0,0]],"by_name":null,"by_code":null,"on":false},"on":false}`),
		"special": documentBoth(special1, `{"Hash":"ab","Pairs":[["x",true],["y",null]],"Codes":{"1":1,"-2":"two"},`+
			`"Wide":18446744073709551615,"Ratio":"-Inf","Tree":{"Name":"root","Kids":[{"Name":"left"},`+
			`{"Name":"right","Kids":[{"Name":"leaf"}]}]},"Ports":{"80":false,"443":true}}`),
		"missing":     documentReads(record{Small: 1}, `{"small":1}`),
		"other order": documentReads(record{Title: "t", On: true}, `{"on":true,"title":"t"}`),
		"empty":       documentReads(special{}, `{}`),
		"short":       documentReads(special{Hash: [4]byte{1}, Pairs: []pair{{}, {Key: "k"}}}, `{"Hash":[1],"Pairs":[[],["k"]]}`),
		"short array": documentReads([3]string{"a"}, `["a"]`),
		"bytes":       documentBoth([2]byte{1, 0}, `[1,0]`),
		"NaN":         documentBoth([]float64{math.NaN(), 0.5, 1e300}, `["NaN",0.5,1e+300]`),
		"minus zero":  documentBoth(math.Copysign(0, -1), `-0`),
		"halves":      documentBoth([]float32{65504, 5.9604645e-08, 65505}, `[65504,5.9604645e-08,65505]`),
		"nil list":    documentBoth([]string(nil), `null`),
		"nil map":     documentBoth(map[string]int(nil), `null`),
		"empty bytes": documentBoth([]byte{}, `""`),
		"nil bytes":   documentBoth([]byte(nil), `null`),
		"nil pointer": documentBoth((*string)(nil), `null`),
		"any": documentBoth[any](map[string]any{"i": int64(-5), "u": uint64(math.MaxUint64), "f": 3.0, "b": 1e300,
			"o": map[string]any{}, "l": []any{}, "t": "x", "n": nil},
			`{"b":1e+300,"f":3.0,"i":-5,"l":[],"n":null,"o":{},"t":"x","u":18446744073709551615}`),
		"long":      documentBoth(make([]int8, 24), "[0"+strings.Repeat(",0", 23)+"]"),
		"longer":    documentBoth(make([]int8, 256), "[0"+strings.Repeat(",0", 255)+"]"),
		"longest":   documentBoth(make([]int8, 1<<16), "[0"+strings.Repeat(",0", 1<<16-1)+"]"),
		"any float": documentReads[any](1000.0, `1e3`),
		"any int":   documentReads[any](int64(0), ` -0 `),
		"nothing":   documentBoth(struct{}{}, `{}`),
	} {
		t.Run(name, test)
	}
}

// As deep as a document may be is as deep as the JSON may be.
func TestDocumentDepth(t *testing.T) {
	text := strings.Repeat("[", document.MaxDepth) + strings.Repeat("]", document.MaxDepth)
	v, err := documentFrom[any](t, text)
	if err != nil {
		t.Fatal(err)
	}
	if got := documentTo(t, v); got != text {
		t.Errorf("got %s", got)
	}
	deeper, err := hex.DecodeString(strings.Repeat("81", document.MaxDepth+1) + "00")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jsonview.DocumentToJSON(documentSchema(t, reflect.TypeFor[any]()), deeper); !errors.Is(err, partywall.ErrProtocol) {
		t.Errorf("deeper: %s, %v", got, err)
	}
}

// encoding/json has the same forms for most types.
func TestDocumentAgreesWithJSON(t *testing.T) {
	want := sampleRecord()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	documentReads(want, string(text))(t)

	var got record
	if err := json.Unmarshal([]byte(documentTo(t, want)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, compareDocuments); diff != "" {
		t.Errorf("encoding/json reads (-want +got):\n%s", diff)
	}
}

func documentRefused[T any](text, want string) func(*testing.T) {
	return func(t *testing.T) {
		v, err := documentFrom[T](t, text)
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

func TestDocumentRefuses(t *testing.T) {
	type many struct{ A, B, C, D, E, F, G, H, I, J int }
	for name, test := range map[string]func(*testing.T){
		"unknown": documentRefused[special](`{"Hush":1}`,
			`unknown field "Hush"; the fields are Hash, Pairs, Codes, Wide, Ratio, Tree and Ports`),
		"case":            documentRefused[pairs](`{"b":1}`, `unknown field "b"; did you mean B? The fields are A and B`),
		"unknown of many": documentRefused[many](`{"A":1,"Z":1}`, `unknown field "Z"; the fields are A, B, C, D, E, F, G, H, I and J`),
		"unknown, deep":   documentRefused[special](`{"Tree":{"Kids":[{"x":1}]}}`, `Tree.Kids[0]: unknown field "x"; the fields are Name and Kids`),
		"twice":           documentRefused[pairs](`{"A":1,"B":2,"A":1}`, `"A" stands twice`),
		"twice in a map":  documentRefused[special](`{"Ports":{"1":true,"1":true}}`, `Ports: "1" stands twice`),
		"twice in any":    documentRefused[any](`[{"\u0041":1,"A":1}]`, `[0]: "A" stands twice`),
		"int":             documentRefused[pairs](`{"A":"x"}`, `A: a text, where int64 is needed`),
		"uint8":           documentRefused[record](`{"small":300}`, `small: 300 is out of range for uint8 (0 to 255)`),
		"fraction":        documentRefused[record](`{"count":1.5}`, `count: 1.5 has a fraction, where int64 is needed`),
		"text":            documentRefused[record](`{"title":5}`, `title: a number, where a text is needed`),
		"null text":       documentRefused[record](`{"title":null}`, `title: null, where a text is needed`),
		"null int":        documentRefused[record](`{"small":null}`, `small: null, where uint8 is needed`),
		"null struct":     documentRefused[record](`null`, `null, where an object is needed`),
		"null array":      documentRefused[record](`{"grid":null}`, `grid: null, where an array of 2 is needed`),
		"null time":       documentRefused[record](`{"when":null}`, `when: null, where a time as a text of RFC 3339 is needed`),
		"null bytes":      documentRefused[special](`{"Hash":null}`, `Hash: null, where [4]uint8 is needed`),
		"null bool":       documentRefused[record](`{"on":null}`, `on: null, where bool is needed`),
		"float":           documentRefused[record](`{"ratio":1e39}`, `ratio: 1e39 is out of range for float32 (-3.4028235e+38 to 3.4028235e+38)`),
		"base64":          documentRefused[record](`{"data":"a-b="}`, `data: the text is not base64: illegal base64 data at input byte 1`),
		"bytes":           documentRefused[record](`{"data":[1]}`, `data: an array, where a text of bytes in base64 is needed`),
		"long bytes":      documentRefused[special](`{"Hash":"12345"}`, `Hash: the text has 5 bytes, more than [4]uint8 has room for`),
		"time": documentRefused[record](`{"when":"yesterday\n"}`,
			`when: "yesterday\n" is no time of RFC 3339, such as 2006-01-02T15:04:05Z`),
		"list":       documentRefused[record](`{"tags":{}}`, `tags: an object, where an array is needed`),
		"element":    documentRefused[record](`{"tags":["a",1]}`, `tags[1]: a number, where a text is needed`),
		"array":      documentRefused[record](`{"grid":[[1,2,3]]}`, `grid[0][2]: one element more than an array of 2 has room for`),
		"tuple":      documentRefused[special](`{"Pairs":[["a",true,1]]}`, `Pairs[0][2]: one element more than an array of 2 has room for`),
		"in a tuple": documentRefused[special](`{"Pairs":[["a",1]]}`, `Pairs[0][1]: a number, where bool is needed`),
		"map":        documentRefused[special](`{"Ports":[]}`, `Ports: an array, where an object is needed`),
		"value":      documentRefused[special](`{"Ports":{"7":1}}`, `Ports[7]: a number, where bool is needed`),
		"text value": documentRefused[record](`{"by_name":{"a b":true}}`, `by_name["a b"]: true, where int64 is needed`),
		"key":        documentRefused[special](`{"Ports":{"x":true}}`, `Ports: key "x" is no uint16 in decimal`),
		"key range":  documentRefused[special](`{"Ports":{"65536":true}}`, `Ports: key 65536 is out of range for uint16 (0 to 65535)`),
		"key +":      documentRefused[special](`{"Ports":{"+1":true}}`, `Ports: key "+1" is no uint16 in decimal`),
		"key 01":     documentRefused[special](`{"Ports":{"01":true}}`, `Ports: key "01" is no uint16 in decimal`),
		"key 1-":     documentRefused[special](`{"Ports":{"1-":true}}`, `Ports: key "1-" is no uint16 in decimal`),
		"key empty":  documentRefused[special](`{"Ports":{"":true}}`, `Ports: key "" is no uint16 in decimal`),
		"key -0":     documentRefused[record](`{"by_code":{"-0":"x"}}`, `by_code: key "-0" is no int8 in decimal`),
		"any int":    documentRefused[any](`[18446744073709551616]`, `[0]: 18446744073709551616 is out of range for uint64 (0 to 18446744073709551615)`),
		"any float":  documentRefused[any](`1e309`, `1e309 is out of range for float64 (-1.7976931348623157e+308 to 1.7976931348623157e+308)`),
		"long path": documentRefused[any](strings.Repeat(`{"Größe":`, 60)+"1e999"+strings.Repeat("}", 60),
			strings.Repeat("Größe.", 12)+"Grö...ße."+strings.Repeat("Größe.", 11)+"Größe: "+
				"1e999 is out of range for float64 (-1.7976931348623157e+308 to 1.7976931348623157e+308)"),
		"deep": documentRefused[any](strings.Repeat("[", 65)+strings.Repeat("]", 65),
			`line 1, column 65: more than 64 arrays and objects lie in each other`),
	} {
		t.Run(name, test)
	}
}

type pairs struct{ A, B int }
