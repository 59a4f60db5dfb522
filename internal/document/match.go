package document

import (
	"fmt"
	"slices"

	"github.com/partywall/partywall"
)

// maxSteps bounds the work of Match: pairs of nodes, and fields of pairs of
// structs. A schema and its equal have a pair for each node, and three steps for
// each field, which takes five bytes at least: that is less than this many for
// MaxSchema bytes.
const maxSteps = 1 << 18

// Match returns nil if each side can read the documents of the other. Otherwise the
// error wraps [partywall.ErrLayout], names a field that differs, one of the least
// deep, and says how; "here" is mine, "there" is theirs.
//
//   - The kinds have to be the same, and so have bits, lengths and the kinds of
//     keys. An any matches an any only.
//   - A pointer matches what it points to: one side sends null, which the other
//     reads as zero.
//   - Structs are compared by the names of their fields; the order is of no
//     matter. A field that only one side has must be optional there. One that both
//     have may be optional on one side only.
//   - Tuples have the same fields, in the same order.
//
// Both schemas have to be well formed. Whatever they are, it compares at most a
// quarter of a million pairs of types and of fields, which takes half a second and
// some tens of MiB, and then gives up with an error that wraps
// [partywall.ErrLayout]. Of two equal schemas it never has to.
func Match(mine, theirs *Schema) error {
	m := matcher{
		mine:   side{nodes: mine.Nodes},
		theirs: side{nodes: theirs.Nodes},
		seen:   make(map[[2]uint32]struct{}),
	}
	m.add(pair{from: -1})
	for i := 0; i < len(m.pairs); i++ {
		if why := m.compare(i); why != "" {
			return fmt.Errorf("%w: %s", partywall.ErrLayout, why)
		}
		if m.steps > maxSteps {
			return fmt.Errorf("%w: the types are too intricate to be compared", partywall.ErrLayout)
		}
	}
	return nil
}

// A matcher compares pairs of nodes, breadth first, each pair once.
type matcher struct {
	mine, theirs side
	pairs        []pair
	seen         map[[2]uint32]struct{}
	steps        int
}

// A side is a schema, with an index of the structs whose fields were looked for.
type side struct {
	nodes []Node
	index map[uint32]map[fieldKey]int
}

// A pair is a node of each side that have to match, and how they were reached.
type pair struct {
	mine, theirs uint32
	from         int32 // the index of the pair above, or -1
	field        int32 // of mine, in the pair above; -1 for an element, -2 for a key
}

const (
	toElem = -1
	toKey  = -2
)

func (m *matcher) add(p pair) {
	m.steps++
	p.mine, p.theirs = m.mine.solid(p.mine), m.theirs.solid(p.theirs)
	if a, b := &m.mine.nodes[p.mine], &m.theirs.nodes[p.theirs]; a.leaf() && b.leaf() && a.like(b) {
		return
	}
	key := [2]uint32{p.mine, p.theirs}
	if _, ok := m.seen[key]; ok {
		return
	}
	m.seen[key] = struct{}{}
	m.pairs = append(m.pairs, p)
}

// solid returns node i, or what it is a pointer to.
func (s *side) solid(i uint32) uint32 {
	if s.nodes[i].Kind == Nullable {
		return s.nodes[i].Elem
	}
	return i
}

// find returns the field of struct i that has that key, or nil.
func (s *side) find(i uint32, key fieldKey) *Field {
	fields := s.nodes[i].Fields
	index, ok := s.index[i]
	if !ok {
		index = make(map[fieldKey]int, len(fields))
		for j := range fields {
			index[fields[j].key()] = j
		}
		if s.index == nil {
			s.index = make(map[uint32]map[fieldKey]int)
		}
		s.index[i] = index
	}
	if j, ok := index[key]; ok {
		return &fields[j]
	}
	return nil
}

// leaf reports whether nothing lies below n.
func (n *Node) leaf() bool {
	uses := usesOf(n.Kind)
	return !uses.elem && !uses.fields
}

// like reports whether n and o are the same but for what lies below.
func (n *Node) like(o *Node) bool {
	return n.Kind == o.Kind && n.Bits == o.Bits && n.Len == o.Len
}

// compare returns how the nodes of pair i differ by themselves, or "", and adds the
// pairs below.
func (m *matcher) compare(i int) string {
	p := m.pairs[i]
	a, b := &m.mine.nodes[p.mine], &m.theirs.nodes[p.theirs]
	switch {
	case !a.like(b):
		return fmt.Sprintf("%s: it is %s here and %s there", m.where(i), m.mine.words(p.mine), m.theirs.words(p.theirs))
	case a.Kind == Struct:
		return m.structs(i, a, b)
	case a.Kind == Tuple:
		return m.tuples(i, a, b)
	}
	uses := usesOf(a.Kind)
	if uses.key {
		m.add(pair{a.Key, b.Key, int32(i), toKey})
	}
	if uses.elem {
		m.add(pair{a.Elem, b.Elem, int32(i), toElem})
	}
	return ""
}

func (m *matcher) structs(i int, a, b *Node) string {
	p := m.pairs[i]
	m.steps += len(a.Fields) + len(b.Fields)
	common := 0
	for j := range a.Fields {
		f := &a.Fields[j]
		g := counterpart(b, j, f)
		if g == nil {
			g = m.theirs.find(p.theirs, f.key())
		}
		switch {
		case g != nil:
			common++
			m.add(pair{f.Type, g.Type, int32(i), int32(j)})
		case !f.Optional:
			return fmt.Sprintf("%s (%s) is missing there; tag it omitempty if it may be left out",
				m.whereField(i, f), m.mine.words(f.Type))
		}
	}
	if common == len(b.Fields) {
		return ""
	}
	for j := range b.Fields {
		g := &b.Fields[j]
		if !g.Optional && counterpart(a, j, g) == nil && m.mine.find(p.mine, g.key()) == nil {
			return fmt.Sprintf("%s (%s) is extra there; only what is tagged omitempty there may be extra",
				m.whereField(i, g), m.theirs.words(g.Type))
		}
	}
	return ""
}

// counterpart returns field j of n if that has the key of f, which it does if the
// types have not changed.
func counterpart(n *Node, j int, f *Field) *Field {
	if j < len(n.Fields) && n.Fields[j].key() == f.key() {
		return &n.Fields[j]
	}
	return nil
}

func (m *matcher) tuples(i int, a, b *Node) string {
	m.steps += len(a.Fields)
	if len(a.Fields) != len(b.Fields) {
		return fmt.Sprintf("%s: the tuple has %d fields here and %d there", m.where(i), len(a.Fields), len(b.Fields))
	}
	for j := range a.Fields {
		f, g := &a.Fields[j], &b.Fields[j]
		if f.Name != g.Name {
			return fmt.Sprintf("%s: field %d of the tuple is %s here and %s there", m.where(i), j, shorten(f.Name), shorten(g.Name))
		}
		m.add(pair{f.Type, g.Type, int32(i), int32(j)})
	}
	return ""
}

// where says where pair i is: "field A.B[]", or "the value".
func (m *matcher) where(i int) string {
	path := m.path(i)
	if path == "" {
		return "the value"
	}
	return "field " + shorten(path)
}

func (m *matcher) whereField(i int, f *Field) string {
	return "field " + shorten(join(m.path(i), f.Name))
}

// path returns the way to pair i. A very long one has its middle left out.
func (m *matcher) path(i int) string {
	var way []int
	for ; m.pairs[i].from >= 0; i = int(m.pairs[i].from) {
		way = append(way, i)
	}
	const most = 200 // steps; more would not be shown
	if len(way) > most {
		way = slices.Delete(way, most/2, len(way)-most/2)
	}
	path := ""
	for _, i := range way {
		p := m.pairs[i]
		switch p.field {
		case toElem:
			path = join("[]", path)
		case toKey:
			path = join("[key]", path)
		default:
			above := m.pairs[p.from].mine
			path = join(m.mine.nodes[above].Fields[p.field].Name, path)
		}
	}
	return path
}

// words says what node i is.
func (s *side) words(i uint32) string {
	return shorten(signature(s.nodes, i))
}
