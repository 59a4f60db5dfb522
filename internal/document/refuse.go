package document

import (
	"encoding"
	"fmt"
	"math/big"
	"reflect"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// A refusal says which part of a type cannot be in a document, and why.
type refusal struct {
	path string
	typ  reflect.Type
	why  string
}

func refuse(t reflect.Type, why string) *refusal {
	return &refusal{typ: t, why: why}
}

// below returns the refusal as seen from the type that has this one as name.
func (r *refusal) below(name string) *refusal {
	r.path = join(name, r.path)
	return r
}

// of returns the error for the whole type t.
func (r *refusal) of(t reflect.Type) error {
	if r.path == "" {
		return fmt.Errorf("%w: %s: %s", ErrNotDocument, shorten(r.typ.String()), r.why)
	}
	return fmt.Errorf("%w: %s: field %s (%s): %s", ErrNotDocument, shorten(t.String()), shorten(r.path), shorten(r.typ.String()), r.why)
}

// join puts name, "[3]" or "Inner", before the path below it.
func join(name, path string) string {
	if name == "" || path == "" || path[0] == '[' {
		return name + path
	}
	return name + "." + path
}

const lockAdvice = "a lock must not be copied; leave it out, or give it a name that is not exported"

// advice says why a kind is refused and what to use instead.
func advice(k reflect.Kind) string {
	switch k {
	case reflect.Chan:
		return "a channel belongs to one process; leave it out with the tag `cbor:\"-\"`"
	case reflect.Func:
		return "a function belongs to one process; leave it out with the tag `cbor:\"-\"`"
	case reflect.UnsafePointer:
		return "an address means nothing in another process; use a pointer to a type"
	case reflect.Uintptr:
		return "an address means nothing in another process; use uint64 for a number"
	case reflect.Complex64, reflect.Complex128:
		return "CBOR has no complex numbers; use a struct of two floats"
	}
	return "it has no form in CBOR; leave it out with the tag `cbor:\"-\"`"
}

var (
	cborMarshaler     = reflect.TypeFor[cbor.Marshaler]()
	cborUnmarshaler   = reflect.TypeFor[cbor.Unmarshaler]()
	textMarshaler     = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
	binaryMarshaler   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
	locker            = reflect.TypeFor[sync.Locker]()
)

// specialKind returns the kind of a type that has a say in its encoding, or why it
// is refused; or neither, for most types.
func specialKind(t reflect.Type) (Kind, string) {
	switch t {
	case reflect.TypeFor[time.Time]():
		return Time, ""
	case reflect.TypeFor[big.Int]():
		return 0, "its encoding would need a CBOR tag; use a string with its String, or its Bytes"
	case reflect.TypeFor[cbor.Tag](), reflect.TypeFor[cbor.RawTag](), reflect.TypeFor[cbor.SimpleValue]():
		return 0, "a document has no CBOR tags and no simple values but false, true and null; use cbor.RawMessage or a type of your own"
	}
	switch t.PkgPath() {
	case "sync":
		return 0, lockAdvice
	case "sync/atomic":
		return 0, "an atomic must not be copied; use the value itself"
	}
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return 0, ""
	}
	p := reflect.PointerTo(t)
	switch in, out := p.Implements(cborMarshaler), p.Implements(cborUnmarshaler); {
	case in && out:
		if why := borrowed(t, cborMarshaler); why != "" {
			return 0, why
		}
		return Any, ""
	case in || out:
		return 0, "it has only one of MarshalCBOR and UnmarshalCBOR; give it the other"
	}
	switch in, out := p.Implements(textMarshaler), p.Implements(textUnmarshaler); {
	case in && out:
		if why := borrowed(t, textMarshaler); why != "" {
			return 0, why
		}
		return Text, ""
	case in:
		return 0, "it has MarshalText and no UnmarshalText; give it one"
	case out && t.Kind() == reflect.String:
		return 0, "it has UnmarshalText and no MarshalText; give it one"
	}
	if p.Implements(binaryMarshaler) || p.Implements(binaryUnmarshaler) {
		return 0, "it has MarshalBinary or UnmarshalBinary, which documents do not use; give it MarshalText and UnmarshalText, or MarshalCBOR and UnmarshalCBOR, or send the bytes as []byte"
	}
	return 0, ""
}

// borrowed says why a struct cannot have its methods from an embedded field, as it
// seems to, or "". Whether it has them from there or has its own cannot be told.
func borrowed(t, marshaler reflect.Type) string {
	if t.Kind() != reflect.Struct {
		return ""
	}
	name, others := "", false
	for i := range t.NumField() {
		f := t.Field(i)
		_, skip := parseTag(f)
		switch from := f.Type; {
		case f.Anonymous && name == "" && (from.Implements(marshaler) || reflect.PointerTo(from).Implements(marshaler)):
			name = f.Name
			if from.Kind() == reflect.Pointer || from.Kind() == reflect.Interface {
				return fmt.Sprintf("its embedded %s, whose methods encode it, may be nil; give the embedded field a name", name)
			}
		case f.IsExported() && !skip:
			others = true
		}
	}
	if name == "" || !others {
		return ""
	}
	return fmt.Sprintf("the %s of its embedded %s would speak for all its fields; give the embedded field a name", marshaler.Method(0).Name, name)
}

// isLock reports whether t is a lock or the customary marker of a type that must
// not be copied: the types for which go vet reports a copy.
func isLock(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name() != "" && t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(locker)
}
