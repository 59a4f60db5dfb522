package document

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

var encoder = must(func() (cbor.EncMode, error) {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeRFC3339Nano
	o.TextMarshaler = cbor.TextMarshalerTextString
	o.BinaryMarshaler = cbor.BinaryMarshalerNone
	o.BigIntConvert = cbor.BigIntConvertReject
	o.TagsMd = cbor.TagsForbidden
	return o.EncMode()
}())

var decoder = must(func() (cbor.DecMode, error) {
	simple, err := cbor.NewSimpleValueRegistryFromDefaults(onlyKnown()...)
	if err != nil {
		return nil, err
	}
	return cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:   MaxDepth,
		MaxArrayElements:  MaxSize,
		MaxMapPairs:       MaxSize / 2,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		IntDec:            cbor.IntDecConvertSignedOrBigInt, // see bigInts
		DefaultMapType:    reflect.TypeFor[map[string]any](),
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		SimpleValues:      simple,
		BinaryUnmarshaler: cbor.BinaryUnmarshalerNone,
		TextUnmarshaler:   cbor.TextUnmarshalerTextString,
	}.DecMode()
}())

// onlyKnown rejects the simple values that are not false, true or null.
func onlyKnown() (options []func(*cbor.SimpleValueRegistry) error) {
	for v := range 256 {
		if v < 20 || v == simpleUndefined&31 || v > 31 {
			options = append(options, cbor.WithRejectedSimpleValue(cbor.SimpleValue(v)))
		}
	}
	return options
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // only constants lead here
	}
	return v
}

// Marshal returns v as a document. Equal values have equal bytes. The error has one
// line, and names the field that it is about:
//
//   - it wraps [partywall.ErrTooLarge] if the document would be longer than
//     [MaxSize], or if its value would take more memory than [Unmarshal] allows;
//   - it wraps [ErrNotDocument] if v, or a value in an any, is of no type that can
//     be a document;
//   - otherwise v is too deep or leads back to itself, has a string that is not
//     UTF-8 or a time that has no text, or one of its methods has failed.
//
// Nobody may change v meanwhile.
func Marshal(v any) ([]byte, error) {
	if v == nil {
		return []byte{simpleNull}, nil
	}
	t, err := OfType(reflect.TypeOf(v))
	if err != nil {
		return nil, err
	}
	var m measurer
	if f := m.walk(t.shape, reflect.ValueOf(v), 0); f != nil {
		return nil, f.error()
	}
	data, err := encoder.Marshal(v)
	if err != nil {
		return nil, oneLine{err}
	}
	if len(data) > MaxSize {
		return nil, errLarge
	}
	if f := newScanner(data).document(t.shape); f != nil {
		return nil, f.error()
	}
	return data, nil
}

// Unmarshal decodes a document into the value that v points to, which it sets to
// zero first. The error has one line, and names the field that it is about. After
// an error the value is of no use.
//
// The document has to be one of the type's schema: kinds, ranges and the lengths of
// arrays are as described there, or else null, which is zero. Fields that the type
// does not have are ignored, those that the document does not have stay zero. It is
// an error if a key stands twice, a length is indefinite, a text is not UTF-8, there
// is a tag, or anything follows the document.
//
// Whatever a hostile document says, decoding it takes time in proportion to its
// length, and memory for at most the larger of 64 MiB and 32 times its length (16
// times on 32-bit systems); this is checked before any of it is taken, by an
// estimate that is right to a factor of about two. A field of a type with methods of
// its own is as good as those.
//
// data must not change meanwhile: copy it out of shared memory first. The value does
// not refer to it.
func Unmarshal(data []byte, v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("document: %T is not a pointer to a value", v)
	}
	t, err := OfType(p.Type().Elem())
	if err != nil {
		return err
	}
	if len(data) > MaxSize {
		return errLarge
	}
	s := newScanner(data)
	if f := s.document(t.shape); f != nil {
		return f.error()
	}
	p.Elem().SetZero()
	if err := decoder.Unmarshal(data, v); err != nil {
		return oneLine{duplicate(err)}
	}
	if s.big {
		bigInts(t.shape, p.Elem())
	}
	return nil
}

// duplicate says the same as the library's error for a key that stands twice,
// without the number that this has for the key's place.
func duplicate(err error) error {
	var d *cbor.DupMapKeyError
	if errors.As(err, &d) {
		return fmt.Errorf("the key %.60q stands twice", fmt.Sprint(d.Key))
	}
	return err
}
