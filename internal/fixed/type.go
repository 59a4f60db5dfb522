package fixed

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// The limits of a fixed-layout type. They bound what a peer can make this
// process keep, and hold for a process's own types too, so that whatever one
// side accepts the other can parse.
const (
	MaxSize   = 1 << 30 // bytes of a value
	MaxFields = 1 << 16 // fields of a schema
	MaxPath   = 1000    // bytes of a field's path
	MaxSchema = 4 << 20 // bytes of an encoded schema
)

// ErrNotFixed: the type has no fixed layout. The text names the field and says
// what to use instead.
var ErrNotFixed = errors.New("not a fixed-layout type")

// Type is a Go type with a fixed layout. It never changes after [Of] has
// returned it, and its methods are safe for concurrent use.
type Type struct {
	name     string
	schema   Schema
	hash     uint64
	solid    bool      // no padding: one copy publishes it
	segments []segment // from 0 to Size without a hole
	bools    []span
}

// A segment is copied from start to end and cleared from end to next.
type segment struct{ start, end, next uint32 }

// A span is the bytes from start to end.
type span struct{ start, end uint32 }

// types holds a *Type or an error for each reflect.Type that was asked for.
var types sync.Map

// Of returns the layout of T. The error wraps [ErrNotFixed]. The answer is
// remembered: asking again is cheap and gives the same *Type. It is safe for
// concurrent use.
func Of[T any]() (*Type, error) {
	return OfType(reflect.TypeFor[T]())
}

// OfType is [Of] for a type that is known only at run time.
func OfType(t reflect.Type) (*Type, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: the type is nil", ErrNotFixed)
	}
	known, ok := types.Load(t)
	if !ok {
		typ, err := newType(t)
		if err != nil {
			known, _ = types.LoadOrStore(t, err)
		} else {
			known, _ = types.LoadOrStore(t, typ)
		}
	}
	if err, bad := known.(error); bad {
		return nil, err
	}
	return known.(*Type), nil
}

func newType(t reflect.Type) (*Type, error) {
	fields, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	typ := &Type{
		name: t.String(),
		schema: Schema{
			Size:   uint32(t.Size()),
			Align:  uint32(t.Align()),
			Fields: fields,
		},
	}
	typ.hash = typ.schema.Hash()
	typ.plan()
	return typ, nil
}

// plan works out, once, what Publish and Receive do on every copy.
func (t *Type) plan() {
	var seg segment
	for _, f := range t.schema.Fields {
		if seg.end != f.Offset {
			seg.next = f.Offset
			t.segments = append(t.segments, seg)
			seg = segment{start: f.Offset}
		}
		seg.end = f.Offset + f.Size*f.Count
		if f.Kind == Bool {
			t.bools = appendSpan(t.bools, span{f.Offset, seg.end})
		}
	}
	seg.next = t.schema.Size
	t.segments = append(t.segments, seg)
	t.solid = seg == segment{0, t.schema.Size, t.schema.Size}
}

// appendSpan appends s, or lengthens the last span if s follows it at once.
func appendSpan(spans []span, s span) []span {
	if n := len(spans); n > 0 && spans[n-1].end == s.start {
		spans[n-1].end = s.end
		return spans
	}
	return append(spans, s)
}

// Size returns the bytes of a value, padding included.
func (t *Type) Size() int { return int(t.schema.Size) }

// Align returns the alignment in bytes that a pointer to a value needs in this
// process: 1, 2, 4 or 8.
func (t *Type) Align() int { return int(t.schema.Align) }

// Schema returns the description of the layout. It belongs to t: the caller
// must not change it.
func (t *Type) Schema() *Schema { return &t.schema }

// Hash returns [Schema.Hash] of the schema, without computing it again.
func (t *Type) Hash() uint64 { return t.hash }

// String returns the name of the Go type, such as "image.Point".
func (t *Type) String() string { return t.name }
