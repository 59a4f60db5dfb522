package call

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
)

// A form is how the values of a type travel, and the schema by which two
// processes compare their types.
type form struct {
	kind   formKind
	size   int         // of a fixed layout, in bytes
	fixed  *fixed.Type // nil if the form is a peer's
	schema []byte
}

type formKind uint8

const (
	fixedForm    formKind = iota // a fixed layout is copied as it is
	bytesForm                    // a []byte too
	documentForm                 // anything else is a CBOR document
)

func (k formKind) String() string {
	return [...]string{"a fixed layout", "bytes", "a document"}[k]
}

// bytesSchema says that a value is bytes: it has nothing to describe.
var bytesSchema = []byte{'p', 'w', 'b', 1}

// The beginnings of the other two schemas.
var (
	fixedMagic    = []byte{'p', 'w', 's', 1}
	documentMagic = []byte{'p', 'w', 'd', 1}
)

// maxSchema bounds an encoded schema in bytes: two of them go into one message.
const maxSchema = 500 << 10

// formOf finds the form of a type. A fixed-layout struct with a field that may be
// left out travels as a document, since it is meant to grow; so does a fixed layout
// that is too large for a slot, unless that would cost it a field.
func formOf(t reflect.Type) (form, error) {
	if plainBytes(t) {
		return form{kind: bytesForm, schema: bytesSchema}, nil
	}
	f, refused := fixedFormOf(t)
	grows, large := document.HasOptional(t), errors.Is(refused, errForm)
	switch {
	case refused == nil && !grows:
		return f, nil
	case large && !grows && hides(t):
		return form{}, fmt.Errorf("%w; as a document it would lose the fields that are not exported", refused)
	}
	doc, err := document.OfType(t)
	switch {
	case large && err != nil:
		return form{}, fmt.Errorf("%w; %w", refused, err)
	case err != nil:
		return form{}, err
	}
	return checked(form{kind: documentForm, schema: doc.Encoded()}, t.String())
}

// hides reports whether a fixed-layout type has a field that a document leaves behind
// because it is not exported.
func hides(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()) {
		return false // its text speaks for it
	}
	switch t.Kind() {
	case reflect.Array:
		return hides(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			promoted := f.Anonymous && f.Type.Kind() == reflect.Struct
			if f.Name != "_" && (!f.IsExported() && !promoted || hides(f.Type)) {
				return true
			}
		}
	}
	return false
}

// errForm: a type is fixed-layout, but beyond a limit.
var errForm = errors.New("beyond a limit")

// fixedFormOf is formOf for fixed layouts alone.
func fixedFormOf(of reflect.Type) (form, error) {
	t, err := fixed.OfType(of)
	if err != nil {
		return form{}, err
	}
	if t.Size() > maxRoom {
		return form{}, fmt.Errorf("%w: %v has %d bytes, at most %d are allowed: move its bulk to the body", errForm, t, t.Size(), maxRoom)
	}
	schema := must(t.Schema().MarshalBinary()) // a Type has a schema that encodes
	return checked(form{kind: fixedForm, size: t.Size(), fixed: t, schema: schema}, t.String())
}

func checked(f form, name string) (form, error) {
	if n := len(f.schema); n > maxSchema {
		return form{}, fmt.Errorf("%w: %v has a schema of %d bytes, at most %d are allowed: use fewer fields", errForm, name, n, maxSchema)
	}
	return f, nil
}

// plainBytes reports whether t is a []byte whose type has no say in its encoding.
func plainBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[byte]() && t.NumMethod() == 0 && reflect.PointerTo(t).NumMethod() == 0
}

// formFrom reads a peer's schema. The error wraps [partywall.ErrProtocol].
func formFrom(schema []byte) (form, error) {
	f := form{schema: schema}
	switch {
	case bytes.Equal(schema, bytesSchema):
		f.kind = bytesForm
	case bytes.HasPrefix(schema, fixedMagic):
		s, err := fixed.ParseSchema(schema)
		if err != nil {
			return f, err
		}
		f.kind, f.size = fixedForm, int(s.Size)
	case bytes.HasPrefix(schema, documentMagic):
		f.kind = documentForm
		if _, err := document.ParseSchema(schema); err != nil {
			return f, err
		}
	default:
		return f, fmt.Errorf("%w: a schema of no known kind", partywall.ErrProtocol)
	}
	return f, nil
}

// match reports whether values of this process's form are understood by a peer
// with that schema, and the other way round. Schemas that cannot be parsed are
// [partywall.ErrProtocol], others [partywall.ErrLayout].
func (f *form) match(theirs []byte) error {
	if bytes.Equal(f.schema, theirs) {
		return nil
	}
	t, err := formFrom(theirs)
	if err != nil {
		return err
	}
	if f.kind != t.kind {
		return fmt.Errorf("%w: it is %v here and %v there", partywall.ErrLayout, f.kind, t.kind)
	}
	switch f.kind {
	case fixedForm:
		return fixed.Match(must(fixed.ParseSchema(f.schema)), must(fixed.ParseSchema(theirs)))
	case documentForm:
		return document.Match(must(document.ParseSchema(f.schema)), must(document.ParseSchema(theirs)))
	}
	return nil
}

// most is the longest that a value of the form may be, in bytes.
func (f *form) most() int {
	switch f.kind {
	case fixedForm:
		return f.size
	case documentForm:
		return document.MaxSize
	}
	return MaxBody
}

// legal reports whether a value of the form can have n bytes.
func (f *form) legal(n uint32) bool {
	if f.kind == fixedForm {
		return int64(n) == int64(f.size)
	}
	return int64(n) <= int64(f.most())
}

// room is how much of a slot the form needs: values of no fixed size lie there
// if they happen to fit.
func (f *form) room() int { return f.size }

// marshal encodes a value that has no fixed layout. Bytes are not copied.
func (f *form) marshal(v any) ([]byte, error) {
	if f.kind == documentForm {
		return document.Marshal(v)
	}
	b := reflect.ValueOf(v).Bytes()
	if len(b) > MaxBody {
		return nil, fmt.Errorf("%w: %d bytes; the limit is %d", partywall.ErrTooLarge, len(b), MaxBody)
	}
	return b, nil
}

// unmarshal decodes data into the value that v points to. The data is this
// process's own, and the value may keep it.
func (f *form) unmarshal(data []byte, v any) error {
	if f.kind == documentForm {
		return document.Unmarshal(data, v)
	}
	reflect.ValueOf(v).Elem().SetBytes(data)
	return nil
}
