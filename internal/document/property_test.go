package document_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

// allow lets cmp see what it would refuse to: a field that is not sent is zero on
// both sides.
var allow = cmp.Exporter(func(reflect.Type) bool { return true })

// visible leaves out the fields that another may hide, which are then not sent. That
// the schema has those and only those that are sent is tested all the same.
var visible = cmp.FilterPath(func(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	if !ok {
		return false
	}
	tag := p.Index(-2).Type().Field(f.Index()).Tag.Get("cbor")
	return f.Name() == "Name" || tag == "name" || tag == "Name"
}, cmp.Ignore())

func documentType(t *rapid.T, rt reflect.Type) *document.Type {
	typ, err := document.OfType(rt)
	if err != nil {
		t.Fatalf("%v: %v", rt, err)
	}
	return typ
}

func TestAnyType(t *testing.T) {
	generic, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, UTF8: cbor.UTF8RejectInvalid}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	core, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		rt := drawType(t, 4)
		typ := documentType(t, rt)
		in := reflect.New(rt)
		drawValue(t, in.Elem(), 6)
		data, err := document.Marshal(in.Elem().Interface())
		if err != nil {
			t.Fatalf("%v: %+v: %v", rt, in.Elem(), err)
		}

		// What was sent arrives.
		out := reflect.New(rt)
		if err := document.Unmarshal(data, out.Interface()); err != nil {
			t.Fatalf("%v: %x: %v", rt, data, err)
		}
		if diff := cmp.Diff(in.Elem().Interface(), out.Elem().Interface(), same, allow, visible); diff != "" {
			t.Fatalf("%v: %x (-want +got):\n%s", rt, data, diff)
		}

		// The document is deterministic, and what the schema says.
		var any any
		if err := generic.Unmarshal(data, &any); err != nil {
			t.Fatalf("%v: %x: %v", rt, data, err)
		}
		if again, err := core.Marshal(any); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%v:\ngot  %x\nwant %x, %v", rt, data, again, err)
		}
		if why := disagree(typ.Schema(), 0, any); why != "" {
			t.Fatalf("%v: %s: %x: %s", rt, typ.Schema().Signature(), data, why)
		}

		// Every beginning of it, and every addition, is refused.
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if document.Unmarshal(data[:cut], out.Interface()) == nil {
			t.Fatalf("%v: %x: the first %d bytes were accepted", rt, data, cut)
		}
		if document.Unmarshal(append(data, 0), out.Interface()) == nil {
			t.Fatalf("%v: %x: a byte more was accepted", rt, data)
		}
		// Others do no harm.
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		data[at] = rapid.Byte().Draw(t, "byte")
		if err := document.Unmarshal(data, out.Interface()); err == nil {
			_, err = document.Marshal(out.Elem().Interface())
			if err != nil && !strings.Contains(err.Error(), "RFC 3339") && !strings.Contains(err.Error(), "offset") {
				t.Fatalf("%v: %x: %v", rt, data, err)
			}
		}
	})
}

// disagree says how a document, decoded to maps and lists, differs from the schema,
// or "".
func disagree(s *document.Schema, i uint32, v any) string {
	n := &s.Nodes[i]
	if v == nil || n.Kind == document.Any {
		return ""
	}
	bad := fmt.Sprintf("%T stands for %v", v, n.Kind)
	switch n.Kind {
	case document.Nullable:
		return disagree(s, n.Elem, v)
	case document.Struct:
		m, ok := v.(map[any]any)
		if !ok {
			return bad
		}
		return disagreeStruct(s, n, m)
	case document.Map:
		m, ok := v.(map[any]any)
		if !ok {
			return bad
		}
		for k, e := range m {
			if why := disagree(s, n.Key, k) + disagree(s, n.Elem, e); why != "" {
				return why
			}
		}
		return ""
	case document.List, document.Array, document.Tuple:
		l, ok := v.([]any)
		if !ok {
			return bad
		}
		return disagreeList(s, n, l)
	}
	ok := false
	switch v := v.(type) {
	case bool:
		ok = n.Kind == document.Bool
	case uint64:
		ok = n.Kind == document.Int && v>>(n.Bits-1) == 0 || n.Kind == document.Uint && v>>(n.Bits-1)>>1 == 0
	case int64:
		ok = n.Kind == document.Int && ^v>>(n.Bits-1) == 0
	case float64:
		ok = n.Kind == document.Float
	case string:
		ok = n.Kind == document.String || n.Kind == document.Text || n.Kind == document.Time
	case []byte:
		ok = n.Kind == document.Bytes && (n.Len == 0 || int(n.Len) == len(v))
	}
	if !ok {
		return bad
	}
	return ""
}

func disagreeStruct(s *document.Schema, n *document.Node, m map[any]any) string {
	known := 0
	for _, f := range n.Fields {
		var key any = f.Name
		if f.Keyed {
			number, err := strconv.ParseInt(f.Name, 10, 64)
			if key = number; number >= 0 {
				key = uint64(number)
			}
			if err != nil {
				return err.Error()
			}
		}
		v, ok := m[key]
		switch {
		case ok:
			known++
		case !f.Optional:
			return fmt.Sprintf("%v is not there", key)
		}
		if why := disagree(s, f.Type, v); why != "" {
			return why
		}
	}
	if known != len(m) {
		return fmt.Sprintf("%v has more than %v", m, n.Fields)
	}
	return ""
}

func disagreeList(s *document.Schema, n *document.Node, l []any) string {
	if n.Kind == document.Array && int(n.Len) != len(l) || n.Kind == document.Tuple && len(n.Fields) != len(l) {
		return fmt.Sprintf("a list of %d", len(l))
	}
	for i, e := range l {
		elem := n.Elem
		if n.Kind == document.Tuple {
			elem = n.Fields[i].Type
		}
		if why := disagree(s, elem, e); why != "" {
			return why
		}
	}
	return ""
}

// The encoding of a schema is the schema, and equal schemas have equal encodings.
func TestAnySchema(t *testing.T) {
	core, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := documentType(t, drawType(t, 5))
		b, err := typ.Schema().MarshalBinary()
		if err != nil || !bytes.Equal(b, typ.Encoded()) {
			t.Fatalf("%x, %x, %v", b, typ.Encoded(), err)
		}
		back, err := document.ParseSchema(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(typ.Schema(), back); diff != "" {
			t.Fatalf("parsed (-want +got):\n%s", diff)
		}
		if err := document.Match(typ.Schema(), back); err != nil {
			t.Fatal(err)
		}
		// The library agrees that it is deterministic CBOR.
		var any any
		if err := cbor.Unmarshal(b[4:], &any); err != nil {
			t.Fatal(err)
		}
		if again, err := core.Marshal(any); err != nil || !bytes.Equal(again, b[4:]) {
			t.Fatalf("got  %x\nwant %x, %v", b[4:], again, err)
		}
	})
}

// A type of which a struct somewhere has one field more matches if that field is
// optional, both ways, and then each side reads the other's documents.
func TestAnyGrowth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := drawType(t, 4)
		optional := rapid.Bool().Draw(t, "optional")
		tag := reflect.StructTag(`cbor:"extra"`)
		if optional {
			tag = `cbor:"extra,omitempty"`
		}
		large, grown := grow(small, reflect.StructField{Name: "Extra", Type: drawType(t, 1), Tag: tag})
		if !grown {
			return
		}
		a, b := documentType(t, small).Schema(), documentType(t, large).Schema()
		there, back := document.Match(a, b), document.Match(b, a)
		if !optional {
			if !errors.Is(there, partywall.ErrLayout) || !errors.Is(back, partywall.ErrLayout) {
				t.Fatalf("%v and %v: %v, %v", small, large, there, back)
			}
			return
		}
		if there != nil || back != nil {
			t.Fatalf("%v and %v: %v, %v", small, large, there, back)
		}
		send(t, small, large)
		send(t, large, small)
	})
}

// send sends a value to another type and back, and compares what both types have.
func send(t *rapid.T, from, to reflect.Type) {
	in, there, back := reflect.New(from), reflect.New(to), reflect.New(from)
	drawValue(t, in.Elem(), 6)
	for _, step := range []struct{ v, into reflect.Value }{{in, there}, {there, back}} {
		data, err := document.Marshal(step.v.Elem().Interface())
		if err != nil {
			t.Fatal(err)
		}
		if err := document.Unmarshal(data, step.into.Interface()); err != nil {
			t.Fatalf("%v to %v: %x: %v", step.v.Type(), step.into.Type(), data, err)
		}
	}
	extra := cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && f.Name() == "Extra"
	}, cmp.Ignore())
	if diff := cmp.Diff(in.Elem().Interface(), back.Elem().Interface(), same, allow, extra, visible); diff != "" {
		t.Fatalf("%v to %v and back (-want +got):\n%s", from, to, diff)
	}
}

// grow adds a field to the first struct in t that can have one.
func grow(t reflect.Type, extra reflect.StructField) (reflect.Type, bool) {
	if t.Name() != "" {
		return t, false
	}
	switch t.Kind() {
	case reflect.Slice:
		elem, ok := grow(t.Elem(), extra)
		return reflect.SliceOf(elem), ok
	case reflect.Array:
		elem, ok := grow(t.Elem(), extra)
		return reflect.ArrayOf(t.Len(), elem), ok
	case reflect.Pointer:
		elem, ok := grow(t.Elem(), extra)
		return reflect.PointerTo(elem), ok
	case reflect.Map:
		elem, ok := grow(t.Elem(), extra)
		return reflect.MapOf(t.Key(), elem), ok
	case reflect.Struct:
		var fields []reflect.StructField
		for i := range t.NumField() {
			fields = append(fields, t.Field(i))
			if fields[i].Name == "_" {
				return t, false // a tuple cannot grow
			}
		}
		return reflect.StructOf(append(fields, extra)), true
	}
	return t, false
}
