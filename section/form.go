package section

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
)

// A formKind is how the values of a type lie in a cell.
type formKind uint32

const (
	fixedForm    formKind = 1 // a fixed layout, as it is
	bytesForm    formKind = 2 // bytes, behind their number
	documentForm formKind = 3 // a CBOR document, behind its length
)

func (k formKind) String() string {
	switch k {
	case fixedForm:
		return "a fixed layout"
	case bytesForm:
		return "bytes"
	case documentForm:
		return "a document"
	}
	return fmt.Sprintf("form %d", uint32(k))
}

// bytesSchema says that a value is bytes: it has nothing to describe.
var bytesSchema = []byte{'p', 'w', 'b', 1}

// maxSchema bounds the schema of a region, in bytes.
const maxSchema = fixed.MaxSchema

// DefaultMaxSize is how many bytes a value that has no fixed layout may take, unless [MaxSize] says
// otherwise.
const DefaultMaxSize = smallCell - lengthBytes

// A form is a type as a section sees it: this program's, or a region's.
type form struct {
	kind     formKind
	name     string           // of the type, in texts
	fixed    *fixed.Schema    // of a fixed layout
	document *document.Schema // of a document
	schema   []byte           // encoded
	capacity int              // bytes of a value at most
}

// formOf finds the form of a type. Of values without a fixed layout, capacity is what they may
// take at most, and 0 if nobody has said.
func formOf(t reflect.Type, capacity int) (form, error) {
	if t == reflect.TypeFor[[]byte]() {
		return form{kind: bytesForm, name: t.String(), schema: bytesSchema, capacity: capacity}, nil
	}
	if typ, err := fixed.OfType(t); err == nil {
		schema, err := typ.Schema().MarshalBinary()
		if err != nil {
			return form{}, err
		}
		return form{kind: fixedForm, name: t.String(), fixed: typ.Schema(), schema: schema, capacity: typ.Size()}, nil
	}
	typ, err := document.OfType(t)
	if err != nil {
		return form{}, err
	}
	if capacity > document.MaxSize {
		return form{}, fmt.Errorf("%w: a document has at most %d bytes", partywall.ErrTooLarge, document.MaxSize)
	}
	return form{kind: documentForm, name: t.String(), document: typ.Schema(), schema: typ.Encoded(), capacity: capacity}, nil
}

// parseForm reads a region's schema. The error wraps [partywall.ErrProtocol].
func parseForm(g geometry, schema []byte) (f form, err error) {
	f = form{kind: g.form, schema: schema, capacity: g.capacity}
	switch g.form {
	case fixedForm:
		if f.fixed, err = fixed.ParseSchema(schema); err == nil && int(f.fixed.Size) != g.capacity {
			err = fmt.Errorf("%w: its values have %d bytes and its region room for %d", partywall.ErrProtocol, f.fixed.Size, g.capacity)
		}
	case bytesForm:
		if !bytes.Equal(schema, bytesSchema) {
			err = fmt.Errorf("%w: the schema of bytes is % x", partywall.ErrProtocol, schema[:min(len(schema), 8)])
		}
	case documentForm:
		f.document, err = document.ParseSchema(schema)
	}
	return f, err
}

// union returns the form that a region needs to have for values of both, there being one that has form
// have. If have will do, it returns that. The error wraps [partywall.ErrLayout] and names what
// cannot be both.
func (want form) union(have form) (form, error) {
	if want.kind != have.kind {
		return form{}, fmt.Errorf("%w: the section holds %v, and %s is %v", partywall.ErrLayout, have.kind, want.name, want.kind)
	}
	u := have
	u.name = want.name
	switch want.kind {
	case fixedForm:
		schema, err := fixed.Union(have.fixed, want.fixed)
		if err != nil || schema == have.fixed {
			return u, err
		}
		u.fixed, u.capacity = schema, int(schema.Size)
		u.schema, err = schema.MarshalBinary()
		return u, err
	case documentForm:
		if err := document.Match(want.document, have.document); err != nil {
			return form{}, err
		}
	}
	u.capacity = max(want.capacity, have.capacity)
	return u, nil
}

// wanted is the form that this handle has use for in a region of form have: that of the program's
// type, or without one whatever is there.
func (c *core) wanted(have form) form {
	if c.want.kind != 0 {
		return c.want
	}
	switch have.kind {
	case bytesForm:
		have.capacity = max(have.capacity, c.want.capacity)
	case documentForm:
		have.capacity = max(have.capacity, min(c.want.capacity, document.MaxSize))
	}
	return have
}
