package jsonview

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

// DocumentFromJSON returns the document, in deterministic CBOR
// (RFC 8949, section 4.2.1), that the JSON text describes. Fields that the text
// leaves out are not in it, and are zero for whoever decodes it. The error wraps
// [ErrInput], and [partywall.ErrTooLarge] besides if the document would have more
// than [document.MaxSize] bytes; it wraps [partywall.ErrProtocol] instead if a struct
// of s has two fields that have the same name in JSON. Whether the value takes more
// memory than its receiver allows is for that to say.
//
//   - Bytes are a text in base64 (RFC 4648, section 4), a time is a text of RFC 3339.
//   - A map is an object, with the integers in decimal if its keys are integers.
//   - A tuple is an array.
//   - null is a list, a map or bytes that are nil, a nullable value that is not
//     there, and a value for any; nothing else.
//   - Where any value is allowed, a number without a fraction and an exponent is an
//     integer, and all others are floats.
//
// s has to be one that [document.ParseSchema] has returned, or that of a type.
func DocumentFromJSON(s *document.Schema, text []byte) ([]byte, error) {
	r := documentReader{
		reader: reader{text: string(text), deepest: document.MaxDepth},
		schema: s,
	}
	f := ambiguous(s)
	if f != nil {
		return nil, f.foreign("schema")
	}
	f = r.whole(func() *fault { return r.value(0) })
	if f == nil && r.out.Len() > document.MaxSize {
		f = tooLarge()
	}
	if f != nil {
		return nil, f.input()
	}
	return r.out.Bytes(), nil
}

// A documentReader reads JSON into a document.
type documentReader struct {
	reader
	schema  *document.Schema
	out     bytes.Buffer
	parts   []part
	scratch []byte
	fields  fieldTable
}

// A part is a key, from start to value, and a value, from there to end.
type part struct {
	name              string
	start, value, end int
}

// value reads a value of the type that is node i of the schema.
func (r *documentReader) value(i uint32) *fault {
	if r.out.Len() > document.MaxSize {
		return tooLarge()
	}
	n := &r.schema.Nodes[i]
	if n.Kind == document.Nullable {
		if r.null() {
			return r.scalar(nil)
		}
		n = &r.schema.Nodes[n.Elem]
	}
	switch n.Kind {
	case document.Bool:
		v, f := r.boolean()
		return r.scalarUnless(f, v)
	case document.Int:
		v, f := r.integer(integerType(n))
		return r.scalarUnless(f, int64(v))
	case document.Uint:
		v, f := r.integer(integerType(n))
		return r.scalarUnless(f, v)
	case document.Float:
		v, f := r.float(int(n.Bits))
		return r.scalarUnless(f, v)
	case document.String, document.Text:
		v, f := r.needText("a text")
		return r.scalarUnless(f, v)
	case document.Time:
		return r.time()
	case document.Any:
		return r.any()
	case document.Bytes:
		return r.bytes(n)
	case document.List:
		return r.list(n)
	case document.Array:
		return r.fixedArray(n)
	case document.Map:
		return r.mapping(n)
	case document.Struct:
		return r.structure(n)
	case document.Tuple:
		return r.tuple(n)
	}
	panic(fmt.Sprintf("jsonview: %v in a schema", n.Kind))
}

// integerType returns the integer type that a node or the key of a map is.
func integerType(n *document.Node) integer {
	return integer{signed: n.Kind == document.Int, bits: int(n.Bits)}
}

func (r *documentReader) scalarUnless(f *fault, v any) *fault {
	if f != nil {
		return f
	}
	return r.scalar(v)
}

func (r *documentReader) scalar(v any) *fault {
	if err := scalars.MarshalToBuffer(v, &r.out); err != nil {
		return faultf("%v", err)
	}
	return nil
}

func (r *documentReader) needText(need string) (string, *fault) {
	c, f := r.peek()
	if f != nil {
		return "", f
	}
	if c != '"' {
		return "", r.mismatch(need)
	}
	return r.str()
}

func (r *documentReader) time() *fault {
	text, f := r.needText("a time as a text of RFC 3339")
	if f != nil {
		return f
	}
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return faultf("%s is no time of RFC 3339, such as 2006-01-02T15:04:05Z", quote(text))
	}
	return r.scalar(t)
}

func (r *documentReader) bytes(n *document.Node) *fault {
	if n.Len > 0 { // an array of bytes
		v := make([]byte, n.Len)
		return r.scalarUnless(r.byteArray(v, fmt.Sprintf("[%d]uint8", n.Len)), v)
	}
	if r.null() {
		return r.scalar(nil)
	}
	text, f := r.needText("a text of bytes in base64")
	if f != nil {
		return f
	}
	v, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return faultf("the text is not base64: %v", err)
	}
	return r.scalar(v)
}

// any reads a value of any type.
func (r *documentReader) any() *fault {
	if r.out.Len() > document.MaxSize {
		return tooLarge()
	}
	c, f := r.peek()
	if f != nil {
		return f
	}
	switch c {
	case '{':
		return r.members(func(name string) *fault { return r.scalar(name) }, func(string) *fault { return r.any() })
	case '[':
		start, count := r.out.Len(), 0
		f := r.array("an array", func(int) *fault {
			count++
			return r.any()
		})
		if f == nil {
			r.head(start, majorArray, uint32(count))
		}
		return f
	case '"':
		v, f := r.str()
		return r.scalarUnless(f, v)
	case 0:
		return r.anyNumber()
	}
	if r.null() {
		return r.scalar(nil)
	}
	v, f := r.boolean()
	return r.scalarUnless(f, v)
}

func (r *documentReader) anyNumber() *fault {
	start := r.at
	written, f := r.number()
	switch {
	case f != nil:
		return f
	case strings.ContainsAny(written, ".eE"):
		r.at = start
		v, f := r.float(64)
		return r.scalarUnless(f, v)
	case written[0] == '-':
		v, f := integer{true, 64}.parse(written)
		return r.scalarUnless(f, int64(v))
	}
	v, f := integer{false, 64}.parse(written)
	return r.scalarUnless(f, v)
}

// tooLarge says that the document gets longer than any may.
func tooLarge() *fault {
	f := faultf("the document takes more than %d bytes", document.MaxSize)
	f.also = partywall.ErrTooLarge
	return f
}
