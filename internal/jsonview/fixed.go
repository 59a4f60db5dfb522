package jsonview

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/partywall/partywall/internal/fixed"
)

// FixedFromJSON returns the bytes of the value that the JSON text describes:
// s.Size of them, in this machine's byte order, with padding zero and with every
// field zero that the text leaves out. The error wraps [ErrInput]; it wraps
// [partywall.ErrProtocol] if the paths of s are not those of a type.
//
// s has to be well formed, as [fixed.ParseSchema] leaves it.
func FixedFromJSON(s *fixed.Schema, text []byte) ([]byte, error) {
	root, f := treeOf(s)
	if f != nil {
		return nil, f.foreign("schema")
	}
	r := fixedReader{
		reader: reader{text: string(text), deepest: fixed.MaxPath}, // no schema nests as deep
		value:  make([]byte, s.Size),
	}
	if f := r.whole(func() *fault { return r.node(root) }); f != nil {
		return nil, f.input()
	}
	return r.value, nil
}

// FixedToJSON returns the value whose bytes are given, which lie in this machine's
// byte order, as JSON without spaces, with the fields in the order of the schema.
// Any bytes are a value, if there are s.Size of them; the error wraps
// [partywall.ErrProtocol] if there are not, or if the paths of s are not those of a
// type.
//
// s has to be well formed, as [fixed.ParseSchema] leaves it.
func FixedToJSON(s *fixed.Schema, value []byte) ([]byte, error) {
	if len(value) != int(s.Size) {
		return nil, faultf("%d bytes, where the schema says %d", len(value), s.Size).foreign("value")
	}
	root, f := treeOf(s)
	if f != nil {
		return nil, f.foreign("schema")
	}
	w := fixedWriter{value: value, out: make([]byte, 0, 64+len(value))}
	w.node(root)
	return w.out, nil
}

// A fixedReader reads JSON into the bytes of a value.
type fixedReader struct {
	reader
	value []byte
}

func (r *fixedReader) node(n *node) *fault {
	switch {
	case n.field != nil:
		return r.field(n.field)
	case n.list:
		return r.array("an array", func(i int) *fault {
			if i == len(n.kids) {
				return tooMany("[" + strconv.Itoa(len(n.kids)) + "]struct")
			}
			return r.node(n.kids[i])
		})
	}
	seen := make([]bool, len(n.kids))
	return r.object("an object", func(name string) *fault {
		i := n.find(name)
		switch {
		case i < 0:
			return unknownField(name, n.names())
		case seen[i]:
			return twice(name)
		}
		seen[i] = true
		if f := r.node(n.kids[i]); f != nil {
			return f.below(member(name))
		}
		return nil
	})
}

// twice says that an object has two members of that name.
func twice(name string) *fault { return faultf("%s stands twice", quote(name)) }

func (r *fixedReader) field(f *fixed.Field) *fault {
	if f.Count == 1 && !r.single(f.Kind) {
		return r.basic(f.Kind, f.Offset)
	}
	need := typeName(f)
	if f.Kind == fixed.Uint8 && f.Count > 1 {
		return r.byteArray(r.value[f.Offset:f.Offset+f.Count], need)
	}
	return r.array(need, func(i int) *fault {
		if i == int(f.Count) {
			return tooMany(need)
		}
		return r.basic(f.Kind, f.Offset+uint32(i)*f.Size)
	})
}

// single reports whether the next value is an array of one value of that kind. A
// schema does not tell [1]int32 from int32, so either may be written as the other.
func (r *reader) single(k fixed.Kind) bool {
	c, _ := r.peek()
	if c != '[' {
		return false
	}
	if k != fixed.Complex64 && k != fixed.Complex128 {
		return true
	}
	start := r.at
	r.at++
	c, _ = r.peek()
	r.at = start
	return c == '['
}

// basic reads one basic value, to the bytes at that offset.
func (r *fixedReader) basic(k fixed.Kind, offset uint32) *fault {
	to, ne := r.value[offset:], binary.NativeEndian
	switch k {
	case fixed.Bool:
		v, f := r.boolean()
		if v {
			to[0] = 1
		}
		return f
	case fixed.Float32:
		v, f := r.float(32)
		ne.PutUint32(to, math.Float32bits(float32(v)))
		return f
	case fixed.Float64:
		v, f := r.float(64)
		ne.PutUint64(to, math.Float64bits(v))
		return f
	case fixed.Complex64, fixed.Complex128:
		return r.complex(k, offset)
	}
	v, f := r.integer(integerOf(k))
	switch k.Size() {
	case 1:
		to[0] = byte(v)
	case 2:
		ne.PutUint16(to, uint16(v))
	case 4:
		ne.PutUint32(to, uint32(v))
	case 8:
		ne.PutUint64(to, v)
	}
	return f
}

// complex reads a complex number: an array of its real and its imaginary part.
func (r *fixedReader) complex(k fixed.Kind, offset uint32) *fault {
	part, size := fixed.Float64, fixed.Float64.Size()
	if k == fixed.Complex64 {
		part, size = fixed.Float32, fixed.Float32.Size()
	}
	n := 0
	f := r.array(k.String()+", as [real, imaginary],", func(i int) *fault {
		if n++; n > 2 {
			return tooMany(k.String())
		}
		return r.basic(part, offset+uint32(i)*size)
	})
	if f == nil && n < 2 {
		f = faultf("%d numbers, where %v is needed, as [real, imaginary]", n, k)
	}
	return f
}

// integerOf returns the integer type that k is.
func integerOf(k fixed.Kind) integer {
	return integer{signed: k <= fixed.Int64, bits: 8 * int(k.Size())}
}

// A fixedWriter writes the bytes of a value as JSON.
type fixedWriter struct {
	value []byte
	out   []byte
}

func (w *fixedWriter) node(n *node) {
	if n.field != nil {
		w.field(n.field)
		return
	}
	brackets := "{}"
	if n.list {
		brackets = "[]"
	}
	w.out = append(w.out, brackets[0])
	for i, kid := range n.kids {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if !n.list {
			w.out = append(appendText(w.out, []byte(kid.name)), ':')
		}
		w.node(kid)
	}
	w.out = append(w.out, brackets[1])
}

func (w *fixedWriter) field(f *fixed.Field) {
	v := w.value[f.Offset : f.Offset+f.Size*f.Count]
	switch {
	case f.Count == 1:
		w.out = appendBasic(w.out, f.Kind, v)
		return
	case f.Kind == fixed.Uint8:
		w.out = appendBytes(w.out, v)
		return
	}
	w.out = append(w.out, '[')
	for i := range f.Count {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = appendBasic(w.out, f.Kind, v[i*f.Size:])
	}
	w.out = append(w.out, ']')
}

// appendBasic appends the basic value at the front of v.
func appendBasic(b []byte, k fixed.Kind, v []byte) []byte {
	ne := binary.NativeEndian
	switch k {
	case fixed.Bool:
		return strconv.AppendBool(b, v[0] != 0)
	case fixed.Int8:
		return strconv.AppendInt(b, int64(int8(v[0])), 10)
	case fixed.Int16:
		return strconv.AppendInt(b, int64(int16(ne.Uint16(v))), 10)
	case fixed.Int32:
		return strconv.AppendInt(b, int64(int32(ne.Uint32(v))), 10)
	case fixed.Int64:
		return strconv.AppendInt(b, int64(ne.Uint64(v)), 10)
	case fixed.Uint8:
		return strconv.AppendUint(b, uint64(v[0]), 10)
	case fixed.Uint16:
		return strconv.AppendUint(b, uint64(ne.Uint16(v)), 10)
	case fixed.Uint32:
		return strconv.AppendUint(b, uint64(ne.Uint32(v)), 10)
	case fixed.Uint64:
		return strconv.AppendUint(b, ne.Uint64(v), 10)
	case fixed.Float32:
		return appendFloat(b, float64(math.Float32frombits(ne.Uint32(v))), 32)
	case fixed.Float64:
		return appendFloat(b, math.Float64frombits(ne.Uint64(v)), 64)
	case fixed.Complex64:
		return appendComplex(b, fixed.Float32, v)
	case fixed.Complex128:
		return appendComplex(b, fixed.Float64, v)
	}
	panic("jsonview: " + k.String() + " in a schema")
}

// appendComplex appends the two parts of a complex number.
func appendComplex(b []byte, part fixed.Kind, v []byte) []byte {
	b = appendBasic(append(b, '['), part, v)
	b = appendBasic(append(b, ','), part, v[part.Size():])
	return append(b, ']')
}
