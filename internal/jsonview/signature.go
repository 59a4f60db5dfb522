package jsonview

import (
	"slices"
	"strconv"

	"github.com/partywall/partywall/internal/fixed"
)

// maxSignature is the length in bytes after which a signature says no more, but for
// closing its brackets.
const maxSignature = 300

// FixedSignature describes a layout to a person, much as Go would:
// {A int64, Name [32]uint8, Points [4]{X int32, Y int32}}. In a long one, "..." stands
// for what follows after about 300 bytes.
//
// s has to be well formed, as [fixed.ParseSchema] leaves it.
func FixedSignature(s *fixed.Schema) string {
	root, f := treeOf(s)
	if f != nil {
		root = flat(s)
	}
	return string(appendSignature(nil, root))
}

// flat makes a struct whose fields have the paths of a schema as their names, where
// those are not the paths of a type.
func flat(s *fixed.Schema) *node {
	root := &node{}
	for i := range s.Fields {
		root.kids = append(root.kids, &node{name: s.Fields[i].Path, field: &s.Fields[i]})
	}
	return root
}

// appendSignature appends the type of n.
func appendSignature(b []byte, n *node) []byte {
	switch {
	case len(b) > maxSignature:
		return append(b, ellipsis...)
	case n.field != nil:
		return append(b, typeName(n.field)...)
	case n.list && uniform(n.kids):
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(len(n.kids)), 10)
		return appendSignature(append(b, ']'), n.kids[0])
	}
	brackets := "{}"
	if n.list {
		brackets = "[]" // of elements that differ, which no array of Go has
	}
	b = append(b, brackets[0])
	for i, kid := range n.kids {
		if i > 0 {
			b = append(b, ", "...)
		}
		if len(b) > maxSignature {
			b = append(b, ellipsis...)
			break
		}
		if !n.list {
			b = append(append(b, cut(kid.name, longest)...), ' ')
		}
		b = appendSignature(b, kid)
	}
	return append(b, brackets[1])
}

// uniform reports whether all elements have the same type.
func uniform(kids []*node) bool {
	for _, kid := range kids[1:] {
		if !alike(kids[0], kid) {
			return false
		}
	}
	return true
}

// alike reports whether two nodes have the same type.
func alike(a, b *node) bool {
	if a.field != nil && b.field != nil {
		return a.field.Kind == b.field.Kind && a.field.Count == b.field.Count
	}
	return (a.field == nil) == (b.field == nil) && a.list == b.list &&
		slices.EqualFunc(a.kids, b.kids, func(a, b *node) bool { return a.name == b.name && alike(a, b) })
}
