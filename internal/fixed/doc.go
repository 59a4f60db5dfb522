// Package fixed decides which Go types may lie in memory that several
// processes share, describes their layout, and copies their values in and out.
//
// A type has a fixed layout if it holds no pointer and its bytes mean the same
// in every process: bool, the numbers whose size stands in their name, and
// arrays and structs of them. A string, slice, map or pointer leads to memory
// that only its own process has; an int has another size in a 32-bit program.
// [Of] refuses those and says which field it was and what to use instead.
//
//	type Frame struct {
//		Width, Height uint32
//		Keyed         bool
//		Pixels        [64]uint8
//	}
//
//	typ, err := fixed.Of[Frame]() // once
//	...
//	typ.Publish(shared, fixed.Bytes(&frame)) // this process to the others
//	typ.Receive(fixed.Bytes(&frame), shared) // and back
//
// Two programs may have been built from different versions of a type, or for
// different machines. Each describes its own with a [Schema], which travels as
// bytes; [Match] compares the two and names the first field that differs.
//
// Where programs of different generations share a value, they need not match:
// [Union] lays out a value that has the fields of all of them, and a
// [Conversion] copies between that and what one program knows of it.
//
// The shared bytes are hostile: another process may write anything there, at
// any moment. [Type.Receive] therefore copies first and makes every bool a
// valid one in the private copy, [Type.Publish] lets no private byte out
// through padding, and [ParseSchema] checks all that it reads.
//
// Byte order is not part of a schema, since one machine has one.
package fixed
