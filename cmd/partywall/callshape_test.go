package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
)

type (
	shapeFixed struct {
		A      int64
		Name   [32]uint8
		On     bool
		Points [4]struct{ X, Y int32 }
		Inner  struct {
			Ratio float32
			Phase complex128
			Grid  [2][3]int16
		}
	}
	shapeTuple struct {
		_    struct{} `cbor:",toarray"`
		X, Y int16
		Note string
	}
	shapeDocument struct {
		Bool   bool   `json:"bool,omitempty"`
		Odd    []byte `json:"odd.name"`
		Deep   struct{ Data []byte }
		Int    int `json:"an.int"`
		Small  uint8
		Float  float32
		Text   string
		Data   []byte `json:"data"`
		Hash   [4]byte
		When   time.Time
		From   netip.Addr
		Any    any
		List   []struct{ A, B int8 }
		Array  [2]int32
		ByName map[string]int
		ByCode map[int8][]string
		Pair   shapeTuple
		Ptr    *int64
		Tree   *shapeTree
	}
	shapeTree struct {
		Name string
		Kids []shapeTree
		By   map[string]shapeTree
	}
	shapeLong struct {
		Text                                       string
		FirstLongNameOfAll, SecondLongNameOfAll    [2]shapeTree
		ThirdLongNameOfAll, FourthLongNameOfAll    map[string]shapeTuple
		FifthLongNameOfAll, SixthLongNameOfAll     [2]shapeTree
		SeventhLongNameOfAll, EighthLongNameOfAll  *shapeTree
		NinthLongNameOfAll, TenthLongNameOfAll     []shapeTree
		EleventhLongNameOfAll, TwelfthLongNameOfAl [7]shapeTuple
	}
)

// handleShape adds a method to a server that takes an A.
func handleShape[A any](srv *call.Server, name string) {
	call.NewMethod[A, struct{}](name).Handle(srv, func(context.Context, *call.In[A], *call.Out[struct{}]) error { return nil })
}

// The example of every type is an argument that its method takes.
func TestExampleIsTaken(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "windows" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	conn := calltest.Dial(t, func(srv *call.Server) {
		handleShape[shapeFixed](srv, "fixed")
		handleShape[shapeDocument](srv, "document")
		handleShape[shapeLong](srv, "long")
		handleShape[[]byte](srv, "bytes")
		handleShape[int32](srv, "number")
		handleShape[[3]shapeFixed](srv, "array")
		handleShape[string](srv, "string")
		handleShape[[]map[string]shapeTree](srv, "list")
		handleShape[struct{}](srv, "nothing")
		handleShape[any](srv, "any")
	})
	tests := map[string]struct {
		example, without string   // with bytes and without; "" is not compared
		bytes, files     []string // the fields
	}{
		"fixed":    {"", "", nil, []string{"Name"}},
		"document": {"", "", []string{"Deep.Data", "data"}, []string{"Deep.Data", "Text", "data", "Hash"}},
		"long":     {"", "", nil, []string{"Text"}},
		"bytes":    {`""`, "", []string{"."}, []string{"."}},
		"number":   {"0", "0", nil, nil},
		"array":    {"", "", nil, nil},
		"string":   {`""`, `""`, nil, []string{"."}},
		"list":     {`[{"key":{"Name":"","Kids":[]}}]`, `[{"key":{"Name":"","Kids":[]}}]`, nil, nil},
		"nothing":  {"{}", "{}", nil, nil},
		"any":      {"null", "null", nil, nil},
	}
	for name, tt := range tests {
		m, err := conn.Method(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		s := parseShape(m.Arg().Signature)
		if !s.known() {
			t.Errorf("%s: nothing is known from %s", name, m.Arg().Signature)
		}
		for withBytes, want := range map[bool]string{true: tt.example, false: tt.without} {
			e := s.example(withBytes)
			t.Logf("%s: %s: %s", name, m.Arg().Signature, e)
			if want != "" && string(e) != want {
				t.Errorf("%s: the example is %s, want %s", name, e, want)
			}
			if _, _, err := m.CallJSON(t.Context(), e, nil, nil); err != nil {
				t.Errorf("%s: %v", e, err)
			}
		}
		if diff := cmp.Diff(tt.bytes, s.paths((*shape).isBytes)); diff != "" {
			t.Errorf("%s, bytes: %s", name, diff)
		}
		if diff := cmp.Diff(tt.files, s.paths((*shape).fromFile)); diff != "" {
			t.Errorf("%s, files: %s", name, diff)
		}
	}
}

// What is no signature is an unknown type, and what is one has JSON for an example.
func TestParseShape(t *testing.T) {
	for _, text := range []string{"", "{", "}", "{a}", "{a int64", "{a int64,b int64}", "[", "[x]int8", "[3", "map[", "map[string", "(", "*", "int64 ", "{ int64}", "a b", "{} {}"} {
		if s := parseShape(text); s.known() {
			t.Errorf("%q is taken for %+v", text, s)
		}
	}
	for text, want := range map[string]string{
		"...": "", "[]...": "[]", "{...}": "{}", "{a? ..., ...}": "{}", "map[string]...": "{}", "{a int64, ...}": `{"a":0}`,
		"*...": "", "[4]uint8": `""`, "(a bool, b time)": `[false,"2006-01-02T15:04:05Z"]`, `{"q int8}`: `{"\"q":0}`,
	} {
		if got := string(parseShape(text).example(true)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.SampledFrom([]string{"{", "}", "(", ")", "[", "]", "[]", "map[", "*", ", ", " ", "a", "? ", "int64", "byte", "...", "7"}))
		s := parseShape(strings.Join(pieces.Draw(t, "signature"), ""))
		if e := s.example(true); e != nil && !json.Valid(e) {
			t.Fatalf("%s is no JSON", e)
		}
		s.paths((*shape).fromFile)
		s.at([]string{"a", "a"})
	})
}
