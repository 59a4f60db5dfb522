package fixed

import (
	"fmt"

	"github.com/partywall/partywall"
)

// Match returns nil if the same bytes mean the same under both schemas: they
// have the same fields, at the same places, and the same size. Otherwise the
// error wraps [partywall.ErrLayout], names the first field that differs, and
// says how; "here" is mine, "there" is theirs.
//
// Alignment is not compared, for it does not change what bytes mean: a program
// for a 32-bit machine and one for a 64-bit machine may share a type if its
// fields happen to lie at the same places. Both schemas have to be well formed.
func Match(mine, theirs *Schema) error {
	n := min(len(mine.Fields), len(theirs.Fields))
	for i := range n {
		if mine.Fields[i] != theirs.Fields[i] {
			return mismatch(mine, theirs, i)
		}
	}
	switch {
	case len(mine.Fields) != len(theirs.Fields):
		return mismatch(mine, theirs, n)
	case mine.Size != theirs.Size:
		return fmt.Errorf("%w: the fields are the same, but the size is %d here and %d there",
			partywall.ErrLayout, mine.Size, theirs.Size)
	}
	return nil
}

// mismatch describes the difference at index i, where the fields before i are
// the same and at least one schema has a field i.
func mismatch(mine, theirs *Schema, i int) error {
	m, t := mine.at(i), theirs.at(i)
	var how string
	switch {
	case m != nil && t != nil && m.Path == t.Path:
		how = differ(m, t)
	case m != nil && theirs.find(m.Path) == nil:
		how = m.words() + " is missing there"
	case t != nil && mine.find(t.Path) == nil:
		how = t.words() + " is extra there"
	default:
		// Both schemas have the field that stands at i in the other. One of
		// the two may even be in place, but then the other one is not.
		if m != nil {
			how = differ(m, theirs.find(m.Path))
		}
		if how == "" && t != nil {
			how = differ(mine.find(t.Path), t)
		}
	}
	return fmt.Errorf("%w: %s", partywall.ErrLayout, how)
}

// differ says how two fields of the same path differ, or "" if they do not.
func differ(m, t *Field) string {
	how := unlike(m, t)
	if how == "" && m.Offset != t.Offset {
		how = fmt.Sprintf("%s: offset is %d here and %d there", m.what(), m.Offset, t.Offset)
	}
	return how
}

// unlike says how two fields of the same path differ wherever they lie, or "" if
// they do not.
func unlike(m, t *Field) string {
	what := m.what()
	switch {
	case m.Kind != t.Kind:
		return fmt.Sprintf("%s: kind is %v here and %v there", what, m.Kind, t.Kind)
	case m.Size != t.Size:
		return fmt.Sprintf("%s: size is %d here and %d there", what, m.Size, t.Size)
	case m.Count != t.Count:
		return fmt.Sprintf("%s: count is %d here and %d there", what, m.Count, t.Count)
	}
	return ""
}

// what returns what a text calls the field: "field Width", or "the value".
func (f *Field) what() string {
	if f.Path == "" {
		return "the value"
	}
	return "field " + f.Path
}

// typeWords returns the type of the field, such as "uint32" or "[4]uint8".
func (f *Field) typeWords() string {
	if f.Count == 1 {
		return f.Kind.String()
	}
	return fmt.Sprintf("[%d]%v", f.Count, f.Kind)
}

// words returns the whole field, such as "field Width (uint32 at 4)".
func (f *Field) words() string {
	return fmt.Sprintf("%s (%s at %d)", f.what(), f.typeWords(), f.Offset)
}

func (s *Schema) at(i int) *Field {
	if i < len(s.Fields) {
		return &s.Fields[i]
	}
	return nil
}

func (s *Schema) find(path string) *Field {
	for i := range s.Fields {
		if s.Fields[i].Path == path {
			return &s.Fields[i]
		}
	}
	return nil
}
