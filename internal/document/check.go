package document

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// check returns what is not well formed in s, or nil.
func (s *Schema) check() error {
	switch {
	case len(s.Nodes) == 0:
		return errors.New("it has no nodes")
	case len(s.Nodes) > MaxNodes:
		return fmt.Errorf("%d nodes are more than %d", len(s.Nodes), MaxNodes)
	}
	fields := 0
	for i := range s.Nodes {
		fields += len(s.Nodes[i].Fields)
		if fields > MaxFields {
			return fmt.Errorf("it has more than %d fields", MaxFields)
		}
		if err := s.checkNode(&s.Nodes[i]); err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
	}
	for i, least := range leastOf(s.Nodes) {
		if least > MaxSize {
			return fmt.Errorf("node %d: it has no end, or takes more than %d bytes", i, MaxSize)
		}
	}
	return nil
}

func (s *Schema) checkNode(n *Node) error {
	if !n.Kind.valid() {
		return fmt.Errorf("unknown %v", n.Kind)
	}
	uses := usesOf(n.Kind)
	switch {
	case !uses.bits && n.Bits != 0:
		return fmt.Errorf("%v has %d bits", n.Kind, n.Bits)
	case !uses.len && n.Len != 0:
		return fmt.Errorf("%v has length %d", n.Kind, n.Len)
	case !uses.key && n.Key != 0:
		return fmt.Errorf("%v has a key", n.Kind)
	case !uses.elem && n.Elem != 0:
		return fmt.Errorf("%v has an element", n.Kind)
	case !uses.fields && len(n.Fields) != 0:
		return fmt.Errorf("%v has fields", n.Kind)
	case !s.has(n.Elem):
		return fmt.Errorf("its element is node %d of %d", n.Elem, len(s.Nodes))
	case !s.has(n.Key):
		return fmt.Errorf("its key is node %d of %d", n.Key, len(s.Nodes))
	}
	switch n.Kind {
	case Int, Uint:
		if n.Bits != 8 && n.Bits != 16 && n.Bits != 32 && n.Bits != 64 {
			return fmt.Errorf("%v has %d bits, not 8, 16, 32 or 64", n.Kind, n.Bits)
		}
	case Float:
		if n.Bits != 32 && n.Bits != 64 {
			return fmt.Errorf("%v has %d bits, not 32 or 64", n.Kind, n.Bits)
		}
	case Map:
		if k := s.Nodes[n.Key].Kind; k != String && k != Int && k != Uint {
			return fmt.Errorf("the key of the map is %v, not string, int or uint", k)
		}
	case Nullable:
		if s.Nodes[n.Elem].Kind == Nullable {
			return errors.New("it is nullable twice")
		}
	}
	return s.checkFields(n)
}

// has reports whether there is a node i.
func (s *Schema) has(i uint32) bool { return uint64(i) < uint64(len(s.Nodes)) }

// uses says which members a kind has.
type uses struct{ bits, len, key, elem, fields bool }

func usesOf(k Kind) uses {
	switch k {
	case Int, Uint, Float:
		return uses{bits: true}
	case Bytes:
		return uses{len: true}
	case List, Nullable:
		return uses{elem: true}
	case Array:
		return uses{len: true, elem: true}
	case Map:
		return uses{key: true, elem: true}
	case Struct, Tuple:
		return uses{fields: true}
	}
	return uses{}
}

// A fieldKey is what tells the fields of a struct apart.
type fieldKey struct {
	name  string
	keyed bool
}

func (f *Field) key() fieldKey { return fieldKey{f.Name, f.Keyed} }

func (s *Schema) checkFields(n *Node) error {
	var names map[fieldKey]struct{} // of many fields; few are compared
	if len(n.Fields) > fewFields {
		names = make(map[fieldKey]struct{}, len(n.Fields))
	}
	for i := range n.Fields {
		f := &n.Fields[i]
		if why := badName(f.Name); why != "" {
			return fmt.Errorf("field %d: %s", i, why)
		}
		if f.Keyed && !decimal(f.Name) {
			return fmt.Errorf("field %d: the key %q is no decimal number of 64 bits", i, f.Name)
		}
		if n.Kind == Tuple && (f.Keyed || f.Optional) {
			return fmt.Errorf("field %s: in a tuple it can be neither keyed nor optional", f.Name)
		}
		if !s.has(f.Type) {
			return fmt.Errorf("field %s: its type is node %d of %d", f.Name, f.Type, len(s.Nodes))
		}
		twice := false
		if names != nil {
			_, twice = names[f.key()]
			names[f.key()] = struct{}{}
		} else {
			twice = slices.ContainsFunc(n.Fields[:i], func(g Field) bool { return g.key() == f.key() })
		}
		if twice {
			return fmt.Errorf("field %s stands twice", f.Name)
		}
	}
	return nil
}

const fewFields = 8

// badName says why a field cannot have that name, or "".
func badName(name string) string {
	switch {
	case name == "":
		return "the name is empty"
	case len(name) > MaxName:
		return fmt.Sprintf("the name has %d bytes, more than %d", len(name), MaxName)
	case !utf8.ValidString(name):
		return fmt.Sprintf("the name %.60q is not valid UTF-8", name)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("the name %.60q has %q, which cannot be printed", name, r)
		}
	}
	return ""
}

// decimal reports whether name is the one way to write some int64.
func decimal(name string) bool {
	n, err := strconv.ParseInt(name, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == name
}

// endless is the length of a document that cannot be.
const endless = math.MaxInt64

// leastOf returns, for each node, the bytes of its shortest document in which
// only pointers, slices and maps are null. A node that consists of itself is
// endless, and so is every length beyond MaxSize.
func leastOf(nodes []Node) []int64 {
	l := leaster{nodes, make([]int64, len(nodes))}
	for i := range nodes {
		l.of(uint32(i))
	}
	return l.least
}

type leaster struct {
	nodes []Node
	least []int64 // 0: not known yet; endless while it is worked out
}

func (l *leaster) of(i uint32) int64 {
	if l.least[i] != 0 {
		return l.least[i]
	}
	l.least[i] = endless
	n := &l.nodes[i]
	least := int64(1)
	switch n.Kind {
	case Bytes:
		least = int64(headSize(uint64(n.Len))) + int64(n.Len)
	case Array:
		least = int64(headSize(uint64(n.Len)))
		if n.Len > 0 {
			elem := l.of(n.Elem)
			if elem > MaxSize {
				return endless
			}
			least += elem * int64(n.Len) // at most 1<<26 times 1<<32
		}
	case Struct, Tuple:
		for j := range n.Fields {
			f := &n.Fields[j]
			if f.Optional {
				continue
			}
			of := l.of(f.Type)
			if of > MaxSize {
				return endless
			}
			least += of
			if n.Kind == Struct {
				least += int64(f.keySize())
			}
		}
	}
	if least > MaxSize {
		least = endless
	}
	l.least[i] = least
	return least
}

// keySize is the bytes of the field's key in a document.
func (f *Field) keySize() int {
	if !f.Keyed {
		return headSize(uint64(len(f.Name))) + len(f.Name)
	}
	n, _ := strconv.ParseInt(f.Name, 10, 64) // has been checked
	if n < 0 {
		n = ^n
	}
	return headSize(uint64(n))
}
