package document_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"unicode"

	"github.com/fxamacker/cbor/v2"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

func FuzzParseSchema(f *testing.F) {
	f.Add(typeOf[all](f).Encoded())
	f.Add(typeOf[tree](f).Encoded())
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := document.ParseSchema(in)
		if err != nil {
			if s != nil || !errors.Is(err, partywall.ErrProtocol) {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		out, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(in, out) {
			t.Fatalf("in  %x\nout %x", in, out)
		}
		if err := document.Match(s, s); err != nil {
			t.Fatal(err)
		}
		line := s.Signature()
		if len(line) > 1000 {
			t.Fatalf("the signature has %d bytes", len(line))
		}
		for _, r := range line {
			if !unicode.IsPrint(r) {
				t.Fatalf("the signature has %q", r)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add(typeOf[query1](f).Encoded(), typeOf[query2](f).Encoded())
	f.Add(typeOf[recursive1](f).Encoded(), typeOf[recursive2](f).Encoded())
	f.Add(typeOf[recursive1](f).Encoded(), typeOf[recursive3](f).Encoded())
	f.Add(typeOf[pair](f).Encoded(), typeOf[*pair](f).Encoded())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		mine, err := document.ParseSchema(a)
		if err != nil {
			return
		}
		theirs, err := document.ParseSchema(b)
		if err != nil {
			return
		}
		there, back := document.Match(mine, theirs), document.Match(theirs, mine)
		if (there == nil) != (back == nil) {
			t.Fatalf("%v one way, %v the other", there, back)
		}
		if there != nil && (!errors.Is(there, partywall.ErrLayout) || len(there.Error()) > 1500) {
			t.Fatal(there)
		}
		if bytes.Equal(a, b) && there != nil {
			t.Fatal(there)
		}
	})
}

// Whatever is accepted as a document can be sent again and arrives as the same, and
// the library alone would have accepted it too.
func FuzzUnmarshal(f *testing.F) {
	plain, err := cbor.DecOptions{
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:   document.MaxDepth,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		DefaultMapType:    reflect.TypeFor[map[string]any](),
		TextUnmarshaler:   cbor.TextUnmarshalerTextString,
	}.DecMode()
	if err != nil {
		f.Fatal(err)
	}
	big := target{I: -1, L: []target{{S: "x"}}, M: map[string]int8{"a": 1}, Any: []any{1, "a", []byte{}, map[string]any{"b": nil}}, X: 3}
	f.Add(marshal(f, big))
	f.Add(marshal(f, target{Any: uint64(1 << 63), N: map[int8]string{-1: "x"}, K: keyed{"a", "b", "c"}, Q: &target{}}))
	f.Add([]byte(item("?", "\xa1\x80\x80")))
	f.Fuzz(func(t *testing.T, in []byte) {
		var v target
		if err := document.Unmarshal(in, &v); err != nil {
			return
		}
		var w target
		if err := plain.Unmarshal(in, &w); err != nil {
			t.Fatalf("the library alone: %v", err)
		}
		data, err := document.Marshal(v)
		if err != nil {
			// A time may have been read that cannot be written, with seconds
			// in its offset for one.
			t.Skip(err)
		}
		var again target
		if err := document.Unmarshal(data, &again); err != nil {
			t.Fatal(err)
		}
		if twice := marshal(t, again); !bytes.Equal(twice, data) {
			t.Fatalf("it was  %x\nand now %x", data, twice)
		}
	})
}
