package document

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
)

// The limits of a document. [Marshal] and [Unmarshal] keep to both.
const (
	MaxSize  = 64 << 20 // bytes of an encoded document
	MaxDepth = 64       // lists, maps and structs within each other
)

// ErrNotDocument: values of the type cannot travel as documents. The text names
// the field and says what to use instead.
var ErrNotDocument = errors.New("not a document type")

// Type is a Go type whose values can be documents. It never changes after [Of]
// has returned it, and its methods are safe for concurrent use.
type Type struct {
	name    string
	shape   *shape
	schema  Schema
	encoded []byte
}

// types holds a *Type or an error for each reflect.Type that was asked for.
var types sync.Map

// Of returns what is known of T. The error wraps [ErrNotDocument]. The answer is
// remembered: asking again is cheap and gives the same *Type. It is safe for
// concurrent use.
func Of[T any]() (*Type, error) {
	return OfType(reflect.TypeFor[T]())
}

// OfType is [Of] for a type that is known only at run time.
func OfType(t reflect.Type) (*Type, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: the type is nil", ErrNotDocument)
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
	w := walker{shapes: make(map[reflect.Type]*shape)}
	root, ref := w.walk(t)
	if ref != nil {
		return nil, ref.of(t)
	}
	nodes := w.nodes()
	least := leastOf(nodes)
	for i, s := range slices.Backward(w.order) { // the innermost first
		if least[i] > MaxSize {
			return nil, refuse(s.typ, fmt.Sprintf("it takes more than %d bytes (64 MiB) as a document; make it smaller", MaxSize)).of(t)
		}
		s.least = int(least[i])
	}
	for _, s := range w.order {
		s.settle()
	}
	typ := &Type{name: t.String(), shape: root, schema: Schema{canonical(nodes)}}
	var err error
	if typ.encoded, err = typ.schema.bytes(); err != nil {
		return nil, fmt.Errorf("%w: %s: its schema is too large: %w; use fewer fields and shorter names", ErrNotDocument, shorten(t.String()), err)
	}
	return typ, nil
}

// Schema returns the description of the type's documents. It belongs to t: the
// caller must not change it.
func (t *Type) Schema() *Schema { return &t.schema }

// Encoded returns [Schema.MarshalBinary] of the schema, without doing it again. It
// belongs to t: the caller must not change it. Types whose documents have the same
// fields, in the same order, have the same bytes.
func (t *Type) Encoded() []byte { return t.encoded }

// String returns the name of the Go type, such as "http.Header".
func (t *Type) String() string { return t.name }
