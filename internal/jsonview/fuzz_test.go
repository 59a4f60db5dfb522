package jsonview_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

// The corpora in testdata/fuzz have the schemas of the types in these tests.

func FuzzFixedFromJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, schema []byte, text string) {
		s := fuzzedFixed(schema)
		if s == nil {
			return
		}
		value, err := jsonview.FixedFromJSON(s, []byte(text))
		if err != nil {
			checkRefusal(t, err)
			return
		}
		again := fixedToJSON(t, s, value)
		back, err := jsonview.FixedFromJSON(s, again)
		if err != nil || !bytes.Equal(value, back) {
			t.Fatalf("%s was read as %x, written as %s and read as %x (%v)", text, value, again, back, err)
		}
	})
}

func FuzzFixedToJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, schema, raw []byte) {
		s := fuzzedFixed(schema)
		if s == nil {
			return
		}
		if jsonview.FixedSignature(s) == "" {
			t.Fatal("the signature is empty")
		}
		value := make([]byte, s.Size)
		copy(value, raw)
		text, err := jsonview.FixedToJSON(s, value)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		back, err := jsonview.FixedFromJSON(s, text)
		if err != nil {
			t.Fatalf("%x was written as %s: %v", value, text, err)
		}
		if again := fixedToJSON(t, s, back); !bytes.Equal(text, again) {
			t.Fatalf("%x was written as %s, and what that is read as %s", value, text, again)
		}
	})
}

// fuzzedFixed parses a schema, and returns nil if it is none or takes too long.
func fuzzedFixed(b []byte) *fixed.Schema {
	s, err := fixed.ParseSchema(b)
	if err != nil || s.Size > 1<<16 {
		return nil
	}
	return s
}

func fixedToJSON(t *testing.T, s *fixed.Schema, value []byte) []byte {
	t.Helper()
	text, err := jsonview.FixedToJSON(s, value)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatalf("%s is not JSON", text)
	}
	return text
}

// checkRefusal checks an error whose cause may be the JSON or the schema.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, jsonview.ErrInput) == errors.Is(err, partywall.ErrProtocol) {
		t.Fatalf("%v is the fault of both or of none", err)
	}
	checkLine(t, err)
}

// fuzzedTypes are those of which fuzzed documents are decoded.
var fuzzedTypes = []reflect.Type{
	reflect.TypeFor[record](), reflect.TypeFor[special](), reflect.TypeFor[all](), reflect.TypeFor[any](), reflect.TypeFor[map[int8][]float32](),
}

func FuzzDocumentFromJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, schema []byte, text string) {
		checkAgainstJSON(t, []byte(text))
		s, rt := fuzzedDocument(t, schema)
		if s == nil {
			return
		}
		doc, err := jsonview.DocumentFromJSON(s, []byte(text))
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if rt != nil {
			if err := document.Unmarshal(doc, reflect.New(rt).Interface()); err != nil {
				t.Fatalf("%s was read as %x: %v", text, doc, err)
			}
		}
		again := documentToJSON(t, s, doc)
		back, err := jsonview.DocumentFromJSON(s, again)
		if err != nil {
			t.Fatalf("%s was read as %x and written as %s: %v", text, doc, again, err)
		}
		if third := documentToJSON(t, s, back); !bytes.Equal(again, third) {
			t.Fatalf("%s was written as %s and as %s", text, again, third)
		}
	})
}

func FuzzDocumentToJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, schema, doc []byte) {
		s, rt := fuzzedDocument(t, schema)
		if s == nil {
			return
		}
		text, err := jsonview.DocumentToJSON(s, doc)
		if err != nil {
			checkRefusal(t, err)
			if rt != nil && document.Unmarshal(doc, reflect.New(rt).Interface()) == nil {
				t.Fatalf("%x is decoded, but %v", doc, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%s is not JSON", text)
		}
		back, err := jsonview.DocumentFromJSON(s, text)
		if err != nil {
			// A negative integer of 65 bits in an any, and a time with an odd offset.
			if strings.Contains(err.Error(), "out of range for int64") || strings.Contains(err.Error(), "RFC 3339") {
				return
			}
			t.Fatalf("%x was written as %s: %v", doc, text, err)
		}
		if rt == nil {
			return
		}
		want, got := reflect.New(rt), reflect.New(rt)
		if document.Unmarshal(doc, want.Interface()) != nil {
			return // it is stricter with what it does not know, and has limits of memory
		}
		if err := document.Unmarshal(back, got.Interface()); err != nil {
			t.Fatalf("%x was written as %s and read as %x: %v", doc, text, back, err)
		}
		if diff := cmp.Diff(want.Interface(), got.Interface(), sameValue, bytesInAny); diff != "" {
			t.Fatalf("%x was written as %s and read as another value (-want +got):\n%s", doc, text, diff)
		}
	})
}

// bytesInAny makes equal what JSON does not tell apart: bytes and a text, a float that
// is no number and its name.
var bytesInAny = cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().Type() == reflect.TypeFor[any]()
}, cmp.Transformer("shown", func(v any) string {
	text, err := jsonview.DocumentToJSON(&document.Schema{Nodes: []document.Node{{Kind: document.Any}}}, must(document.Marshal(v)))
	if err != nil {
		panic(err)
	}
	return string(text)
}))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// fuzzedDocument parses a schema, and returns nil if it is none or takes too long. The
// type is not nil if it is one of fuzzedTypes.
func fuzzedDocument(t *testing.T, b []byte) (*document.Schema, reflect.Type) {
	t.Helper()
	s, err := document.ParseSchema(b)
	if err != nil {
		return nil, nil
	}
	for i := range s.Nodes {
		if s.Nodes[i].Len > 100 {
			return nil, nil
		}
	}
	for _, rt := range fuzzedTypes {
		if typ, err := document.OfType(rt); err != nil {
			t.Fatal(err)
		} else if bytes.Equal(typ.Encoded(), b) {
			return s, rt
		}
	}
	return s, nil
}

func documentToJSON(t *testing.T, s *document.Schema, doc []byte) []byte {
	t.Helper()
	text, err := jsonview.DocumentToJSON(s, doc)
	if err != nil {
		t.Fatalf("%x: %v", doc, err)
	}
	if !json.Valid(text) {
		t.Fatalf("%s is not JSON", text)
	}
	return text
}
