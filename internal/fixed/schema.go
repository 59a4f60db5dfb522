package fixed

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Field is one basic value in a layout, or an array of them.
type Field struct {
	// Path says where the field is: "Width", "Inner.X", "Points[3].Y". It is
	// empty if the type is itself a basic kind, or an array of one.
	Path string

	// Kind is the kind of one element.
	Kind Kind

	// Offset is the first byte, counted from the start of the value.
	Offset uint32

	// Size is the bytes of one element, as Kind has it.
	Size uint32

	// Count is the number of elements, which lie side by side: 1 for a
	// scalar, n for [n]int32, n*m for [n][m]int32.
	Count uint32
}

// Schema describes a fixed layout. A schema from [Type.Schema] or
// [ParseSchema] is well formed:
//
//   - Size is at most [MaxSize] and a multiple of Align, which is 1, 2, 4 or 8;
//   - there are at most [MaxFields] fields, in the order of their offsets;
//   - they do not overlap and do not pass Size;
//   - no two have the same path, and only a sole field has an empty one;
//   - a path has at most [MaxPath] bytes, which are Go identifiers with dots
//     and bracketed indexes, so that it is safe to print.
//
// Bytes that belong to no field are padding. A Schema that nobody changes is
// safe for concurrent use.
type Schema struct {
	Size   uint32  // bytes of a value, padding included
	Align  uint32  // alignment in bytes, in the process that made the schema
	Fields []Field // in offset order
}

// check returns what is not well formed in s, or nil.
func (s *Schema) check() error {
	switch {
	case s.Size > MaxSize:
		return fmt.Errorf("size %d is more than %d", s.Size, MaxSize)
	case s.Align != 1 && s.Align != 2 && s.Align != 4 && s.Align != 8:
		return fmt.Errorf("align %d is not 1, 2, 4 or 8", s.Align)
	case s.Size%s.Align != 0:
		return fmt.Errorf("size %d is not a multiple of align %d", s.Size, s.Align)
	case len(s.Fields) > MaxFields:
		return fmt.Errorf("%d fields are more than %d", len(s.Fields), MaxFields)
	}
	paths := make(map[string]struct{}, len(s.Fields))
	var end, last uint64
	for i := range s.Fields {
		f := &s.Fields[i]
		if err := f.check(len(s.Fields) == 1); err != nil {
			return fmt.Errorf("field %d: %w", i, err)
		}
		if _, twice := paths[f.Path]; twice {
			return fmt.Errorf("field %d: path %q stands twice", i, f.Path)
		}
		paths[f.Path] = struct{}{}

		start := uint64(f.Offset)
		switch {
		case i > 0 && start <= last:
			return fmt.Errorf("field %d (%s): offset %d does not follow %d", i, f.Path, start, last)
		case start < end:
			return fmt.Errorf("field %d (%s): offset %d overlaps the field before, which ends at %d", i, f.Path, start, end)
		}
		last, end = start, start+uint64(f.Size)*uint64(f.Count)
		if end > uint64(s.Size) {
			return fmt.Errorf("field %d (%s): it ends at %d, beyond size %d", i, f.Path, end, s.Size)
		}
	}
	return nil
}

func (f *Field) check(sole bool) error {
	switch {
	case f.Kind.Size() == 0:
		return fmt.Errorf("unknown %v", f.Kind)
	case f.Size != f.Kind.Size():
		return fmt.Errorf("size %d is not that of %v", f.Size, f.Kind)
	case f.Count == 0:
		return fmt.Errorf("count is 0")
	case f.Path == "" && !sole:
		return fmt.Errorf("the path is empty")
	case len(f.Path) > MaxPath:
		return fmt.Errorf("the path has %d bytes, more than %d", len(f.Path), MaxPath)
	case !utf8.ValidString(f.Path):
		return fmt.Errorf("path %.60q is not valid UTF-8", f.Path)
	}
	for _, r := range f.Path {
		if !pathRune(r) {
			return fmt.Errorf("path %.60q has %q; only letters, digits and _ . [ ] are allowed", f.Path, r)
		}
	}
	return nil
}

// pathRune reports whether r may stand in a path: what a Go identifier may
// have (https://go.dev/ref/spec#Identifiers), and what joins them.
func pathRune(r rune) bool {
	switch r {
	case '_', '.', '[', ']':
		return true
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}
