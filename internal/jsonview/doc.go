// Package jsonview reads and writes, as JSON, values of types that this program
// does not have: all that it knows of a type is its schema. It is how a person
// calls a method from a command line.
//
//	value, err := jsonview.FixedFromJSON(schema, []byte(`{"Width": 640, "Name": "left"}`))
//	...
//	text, err := jsonview.FixedToJSON(schema, result)
//
// [FixedFromJSON] and [FixedToJSON] are for fixed layouts,
// [DocumentFromJSON] and [DocumentToJSON] for documents.
//
// In both, a struct is an object whose fields may be left out, and an array is an
// array that may be shorter than the type, since the rest is zero. An array of
// uint8 is a text if it is printable text and then zeros, and otherwise an array of
// numbers; both can be read. The schema of a fixed layout does not tell an array of
// one number from a number, so that is written as a number, and read as either.
// Integers are exact. A float that JSON has no number for is one of the texts "NaN",
// "+Inf" and "-Inf"; there is only one NaN.
//
// The JSON is typed by a person: a field that does not exist, a number that does
// not fit and a name that stands twice are errors that say where and what is
// needed instead, in one line. The values and the schemas are foreign: what is
// shown has its control characters escaped, and whatever does not fit the schema
// is an error that wraps [partywall.ErrProtocol].
//
// Everything here is a function of its arguments, which it does not keep or
// change, and is safe for concurrent use.
package jsonview
