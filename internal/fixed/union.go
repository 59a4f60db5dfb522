package fixed

import (
	"fmt"

	"github.com/partywall/partywall"
)

// Union returns the layout of a value that has every field of both schemas,
// matched by path: what a section needs whose programs are of different
// generations. The section has have, and a program that wants want opens it.
//
//   - If have has all fields of want, it is have itself, the same pointer: the
//     section need not grow.
//   - Otherwise, if want has all fields of have, it is want itself.
//   - Otherwise have comes first and whole, so that its fields keep their
//     offsets and its Size bytes are the beginning of the new value; the fields
//     that only want has follow in want's order, each aligned to its kind.
//
// The same two schemas always give the same union. It shares the memory of the
// paths with them.
//
// A field that both have must have the same kind and count, wherever it lies;
// otherwise the error wraps [partywall.ErrLayout] and names a field that
// differs. In its text "here" is want, the program's own schema, and "there" is
// have, the section's, as in Match(want, have). The same goes for a path that is
// a number in one and a struct or an array of structs in the other. An array of
// structs may be longer in one than in the other, and its elements may have
// different fields, since each of those is a field of its own. A value that is
// itself a number, or an array of numbers, unites only with the same.
//
// If the fields of both together exceed [MaxFields], [MaxSize] or [MaxSchema],
// the error wraps [partywall.ErrTooLarge].
//
// Both schemas have to be well formed, and so is the result. Nothing else is
// asked of them, so they may be foreign; but one whose own paths contradict each
// other, such as A and A.X, is an error like a contradiction between the two.
func Union(have, want *Schema) (*Schema, error) {
	partner, shared, err := pairUp(want, have)
	switch {
	case err != nil:
		return nil, err
	case shared == len(want.Fields):
		return have, nil
	case shared == len(have.Fields):
		return want, nil
	}
	n := len(have.Fields) + len(want.Fields) - shared
	if n > MaxFields {
		return nil, tooLarge("has %d fields, more than %d", n, MaxFields)
	}
	u := &Schema{
		Align:  max(have.Align, want.Align),
		Fields: make([]Field, 0, n),
	}
	u.Fields = append(u.Fields, have.Fields...)
	end := uint64(have.Size)
	for i, f := range want.Fields {
		if partner[i] >= 0 {
			continue
		}
		start := roundUp(end, f.Kind.align())
		end = start + uint64(f.Size)*uint64(f.Count)
		if end > MaxSize {
			break
		}
		f.Offset = uint32(start)
		u.Fields = append(u.Fields, f)
	}
	if end = roundUp(end, u.Align); end > MaxSize {
		return nil, tooLarge("takes %d bytes or more, and at most %d (1 GiB) are allowed", end, MaxSize)
	}
	u.Size = uint32(end)
	if n := u.encodedBytes(); n > MaxSchema {
		return nil, tooLarge("has a schema of %d bytes, more than %d", n, MaxSchema)
	}
	return u, nil
}

func tooLarge(format string, args ...any) error {
	return fmt.Errorf("%w: a value with the fields here and those there %s",
		partywall.ErrTooLarge, fmt.Sprintf(format, args...))
}

// roundUp returns the first multiple of align, a power of two, from n on.
func roundUp(n uint64, align uint32) uint64 {
	mask := uint64(align) - 1
	return (n + mask) &^ mask
}
