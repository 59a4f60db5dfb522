// Package document carries the Go values that have no fixed layout, those with
// strings, slices, maps or pointers, as CBOR documents (RFC 8949), and describes
// their types so that two processes can compare them.
//
//	type Query struct {
//		Text  string
//		Limit int
//		Tags  []string `cbor:"tags,omitempty"`
//	}
//
//	typ, err := document.Of[Query]()  // may values of this type be documents?
//	...
//	typ.Encoded()                     // the schema, for the peer
//	data, err := document.Marshal(q)  // and then any number of values
//	err = document.Unmarshal(data, &q)
//
// # What becomes what
//
// Documents are in the core deterministic encoding: equal values have equal
// bytes. A struct is a map from field names to values; names come from cbor
// tags, else from json tags, else from Go, and are matched exactly. Embedded
// structs, "-", omitempty, omitzero, keyasint and toarray mean what they mean to
// github.com/fxamacker/cbor. What has no exported name is not sent, nor is a field
// that another of the same name hides, as in encoding/json; a struct that would lose
// everything that way is refused.
//
//   - A time.Time is a text in RFC 3339 with nanoseconds. It keeps its offset,
//     and loses the name of its zone and its monotonic clock.
//   - A type with MarshalText and UnmarshalText is that text, and a struct that
//     embeds one is too, as in encoding/json.
//   - A type with MarshalCBOR and UnmarshalCBOR is whatever those say.
//   - nil slices and maps stay different from empty ones, and NaN is NaN.
//   - In an any, integers arrive as int64, or as uint64 if they are too large;
//     floats as float64, lists as []any, structs and maps as map[string]any, and
//     everything else as string, []byte, bool or nil.
//   - null is the zero value of every type. A pointer to a nil slice, to a nil
//     map, to a nil any, to a nil pointer or to the zero time therefore arrives
//     as a nil pointer, and a nil pointer that a tuple embeds as one to zeros.
//
// [Of] refuses what cannot travel, and says which field it was and what to use
// instead.
//
// # Versions
//
// A field tagged omitempty or omitzero is optional: a peer whose type does not
// have it is no mismatch, its documents leave the field zero, and it ignores the
// field in the documents it gets. [Match] has the rule in full.
//
// # Hostile documents
//
// A document is checked against the type before any of it is decoded: its form,
// every kind and range, the lengths of arrays, texts' UTF-8, and the memory that
// the value would take; see [Unmarshal]. A [Marshal] that succeeds has passed the
// same check, so what one process could send another can read. [ParseSchema]
// checks all that it reads, and [Match] takes bounded time.
package document
