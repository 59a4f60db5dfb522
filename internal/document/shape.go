package document

import (
	"reflect"
	"strconv"
)

// A shape is what is known of a Go type: the node that it is in a schema, and what
// Marshal and Unmarshal need to know besides. Recursive types have shapes that lead
// back to themselves.
type shape struct {
	typ     reflect.Type
	kind    Kind
	bits    uint8 // as in the schema; typ may have fewer, for a Go int
	length  int   // of an Array, and of Bytes that are a Go array
	key     *shape
	elem    *shape
	members []member
	opaque  bool // an Any with methods that encode it

	pointees int // of a Struct: the bytes of the structs that it embeds by pointer

	number   uint32 // the index of its node, before nodes are merged
	least    int    // bytes of its shortest document, as leastOf has it
	plain    bool   // every value takes about least bytes, and holds nothing to look at
	anys     bool   // an any may be within
	settling bool
	settled  bool

	overhead int // of a Struct: the bytes of its head and of the keys that are never left out
	byName   map[string]int
	byNumber map[int64]int
}

// A member is a field of a struct or tuple, as the library sees it.
type member struct {
	name     string
	keyed    bool
	optional bool
	tagged   bool
	index    []int // for reflect
	typ      reflect.Type
	shape    *shape
	promoted bool // embedded pointers lead to it
}

// node returns the shape as a node of a schema. Indices are the numbers of shapes.
func (s *shape) node() Node {
	n := Node{Kind: s.kind, Bits: s.bits}
	switch s.kind {
	case Bytes, Array:
		n.Len = uint32(s.length)
	case Map:
		n.Key = s.key.number
	}
	if s.elem != nil {
		n.Elem = s.elem.number
	}
	for i := range s.members {
		m := &s.members[i]
		f := Field{Name: m.name, Type: m.shape.number}
		if s.kind == Struct {
			f.Keyed, f.Optional = m.keyed, m.optional
		}
		n.Fields = append(n.Fields, f)
	}
	return n
}

// settle works out what follows from the shapes below, once they all exist.
func (s *shape) settle() {
	if s.settled || s.settling {
		return
	}
	s.settling = true
	s.anys = s.kind == Any && !s.opaque
	for _, below := range []*shape{s.key, s.elem} {
		if below != nil {
			below.settle()
			s.anys = s.anys || below.anys || below.settling
		}
	}
	switch s.kind {
	case Bool, Int, Uint, Float, Text:
		s.plain = true
	case Any:
		s.plain = s.opaque
	case Bytes:
		s.plain = s.typ.Kind() == reflect.Array
	case Array:
		s.plain = s.elem.plain
	case Struct, Tuple:
		s.settleMembers()
	}
	s.settling, s.settled = false, true
}

func (s *shape) settleMembers() {
	plain := true // s.plain stays false meanwhile, for shapes that lead back here
	s.overhead = 1
	s.byName = make(map[string]int, len(s.members))
	for i := range s.members {
		m := &s.members[i]
		m.shape.settle()
		plain = plain && m.shape.plain && !m.optional
		// A shape that is being settled leads back here, and may yet turn out
		// to have an any.
		s.anys = s.anys || m.shape.anys || m.shape.settling
		if s.kind == Tuple {
			continue
		}
		if !m.optional {
			s.overhead += (&Field{Name: m.name, Keyed: m.keyed}).keySize()
		}
		if !m.keyed {
			s.byName[m.name] = i
			continue
		}
		if s.byNumber == nil {
			s.byNumber = make(map[int64]int)
		}
		n, _ := strconv.ParseInt(m.name, 10, 64) // has been checked
		s.byNumber[n] = i
	}
	s.plain = plain
}

// key returns what a place in a struct has in common with that of a schema.
func (m *member) key() fieldKey { return fieldKey{m.name, m.keyed} }

// canonical returns the nodes without those that say the same as another, numbered
// in the order in which a walk from the root, depth first, meets them. Two schemas
// of which every document of one is a document of the other, fields in the same
// order, have the same canonical nodes.
//
// Nodes start out as all the same, and are told apart by what they lead to until
// that finds no more differences (Moore's algorithm for minimal automata).
func canonical(nodes []Node) []Node {
	class := make([]uint32, len(nodes))
	for known := 0; ; {
		classes := make(map[string]uint32)
		next := make([]uint32, len(nodes))
		var b []byte
		for i := range nodes {
			b = appendHead(b[:0], majorUint, uint64(class[i]))
			n := renumbered(nodes[i], class)
			b = n.encode(b)
			id, ok := classes[string(b)]
			if !ok {
				id = uint32(len(classes))
				classes[string(b)] = id
			}
			next[i] = id
		}
		class = next
		if len(classes) == known {
			break
		}
		known = len(classes)
	}
	c := canon{nodes: nodes, class: class, number: make(map[uint32]uint32)}
	c.visit(0)
	return c.out
}

type canon struct {
	nodes  []Node
	class  []uint32
	number map[uint32]uint32 // of a class, in out
	out    []Node
}

// visit numbers node i and all below it, and returns its number.
func (c *canon) visit(i uint32) uint32 {
	if n, ok := c.number[c.class[i]]; ok {
		return n
	}
	number := uint32(len(c.out))
	c.number[c.class[i]] = number
	c.out = append(c.out, Node{})
	n := c.nodes[i]
	uses := usesOf(n.Kind)
	if uses.key {
		n.Key = c.visit(n.Key)
	}
	if uses.elem {
		n.Elem = c.visit(n.Elem)
	}
	fields := n.Fields
	n.Fields = nil
	for _, f := range fields {
		f.Type = c.visit(f.Type)
		n.Fields = append(n.Fields, f)
	}
	c.out[number] = n
	return number
}

// renumbered returns the node with other indices.
func renumbered(n Node, to []uint32) Node {
	uses := usesOf(n.Kind)
	if uses.key {
		n.Key = to[n.Key]
	}
	if uses.elem {
		n.Elem = to[n.Elem]
	}
	fields := n.Fields
	n.Fields = make([]Field, len(fields))
	for i, f := range fields {
		f.Type = to[f.Type]
		n.Fields[i] = f
	}
	return n
}
