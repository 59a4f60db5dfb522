package document

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/partywall/partywall"
)

// The encoding of a schema is four bytes, "pwd" and the version of the encoding,
// 1, and then CBOR in core deterministic encoding: an array of the nodes, each of
// which is one of
//
//	[kind]                  Bool, String, Time, Text, Any
//	[kind, Bits]            Int, Uint, Float
//	[kind, Len]             Bytes
//	[kind, Elem]            List, Nullable
//	[kind, Len, Elem]       Array
//	[kind, Key, Elem]       Map
//	[kind, [field...]]      Struct, Tuple
//
// and a field is [Name, Type, 1 if Keyed + 2 if Optional]. Two schemas have the
// same encoding if and only if they are equal.
const (
	nodeBytes  = 2 // of the shortest node
	fieldBytes = 5 // of the shortest field

	flagKeyed    = 1
	flagOptional = 2
)

var magic = [4]byte{'p', 'w', 'd', 1}

// MarshalBinary returns the encoding, at most [MaxSchema] bytes. It fails if s is
// not well formed. It implements [encoding.BinaryMarshaler].
func (s *Schema) MarshalBinary() ([]byte, error) {
	b, err := s.bytes()
	if err != nil {
		return nil, fmt.Errorf("document: schema to encode: %w", err)
	}
	return b, nil
}

func (s *Schema) bytes() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	b := s.encode()
	if len(b) > MaxSchema {
		return nil, fmt.Errorf("it takes %d bytes, more than %d", len(b), MaxSchema)
	}
	return b, nil
}

func (s *Schema) encode() []byte {
	b := appendHead(bytes.Clone(magic[:]), majorArray, uint64(len(s.Nodes)))
	for i := range s.Nodes {
		b = s.Nodes[i].encode(b)
	}
	return b
}

func (n *Node) encode(b []byte) []byte {
	uses := usesOf(n.Kind)
	b = appendHead(b, majorArray, uses.members())
	b = appendHead(b, majorUint, uint64(n.Kind))
	if uses.bits {
		b = appendHead(b, majorUint, uint64(n.Bits))
	}
	if uses.len {
		b = appendHead(b, majorUint, uint64(n.Len))
	}
	if uses.key {
		b = appendHead(b, majorUint, uint64(n.Key))
	}
	if uses.elem {
		b = appendHead(b, majorUint, uint64(n.Elem))
	}
	if uses.fields {
		b = appendHead(b, majorArray, uint64(len(n.Fields)))
		for i := range n.Fields {
			b = n.Fields[i].encode(b)
		}
	}
	return b
}

func (f *Field) encode(b []byte) []byte {
	flags := uint64(0)
	if f.Keyed {
		flags |= flagKeyed
	}
	if f.Optional {
		flags |= flagOptional
	}
	b = appendHead(b, majorArray, 3)
	b = appendHead(b, majorText, uint64(len(f.Name)))
	b = append(b, f.Name...)
	b = appendHead(b, majorUint, uint64(f.Type))
	return appendHead(b, majorUint, flags)
}

// members is how many members a node of that kind has, its kind included.
func (u uses) members() uint64 {
	n := uint64(1)
	for _, has := range [...]bool{u.bits, u.len, u.key, u.elem, u.fields} {
		if has {
			n++
		}
	}
	return n
}

// ParseSchema reads an encoding that another process wrote. The schema it returns
// is well formed, shares no memory with b, and encodes to the same bytes again.
// Anything else is an error that wraps [partywall.ErrProtocol]. What it allocates
// is at most 30 times len(b), and an error's text; len(b) may be at most
// [MaxSchema].
//
// b must not change meanwhile: copy it out of shared memory first.
func ParseSchema(b []byte) (*Schema, error) {
	s, err := parse(b)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: schema: %w", partywall.ErrProtocol, err)
	}
	return s, nil
}

// parse reads the form of an encoding; what stands in it is left to check.
func parse(b []byte) (*Schema, error) {
	switch {
	case len(b) > MaxSchema:
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(b), MaxSchema)
	case len(b) < len(magic):
		return nil, errShort
	case !bytes.Equal(b[:len(magic)], magic[:]):
		return nil, fmt.Errorf("it begins with %x, not %x", b[:len(magic)], magic)
	}
	r := reader{rest: b[len(magic):], text: string(b[len(magic):])}
	s := &Schema{Nodes: make([]Node, r.array(MaxNodes, nodeBytes))}
	for i := range s.Nodes {
		r.node(&s.Nodes[i])
		if r.err != nil {
			return nil, fmt.Errorf("node %d: %w", i, r.err)
		}
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes follow its end", len(r.rest))
	}
	return s, r.err
}

var errShort = errors.New("it ends too early")

// A reader reads the items of a schema. After an error it returns zeros.
type reader struct {
	rest []byte
	text string // one copy of all, of which every name is a part
	err  error
}

func (r *reader) node(n *Node) {
	members := r.count()
	n.Kind = Kind(r.number(1<<8 - 1))
	uses := usesOf(n.Kind)
	if r.err == nil && (!n.Kind.valid() || members != uses.members()) {
		r.err = fmt.Errorf("%d members do not make a node of %v", members, n.Kind)
	}
	if uses.bits {
		n.Bits = uint8(r.number(1<<8 - 1))
	}
	if uses.len {
		n.Len = uint32(r.number(1<<32 - 1))
	}
	if uses.key {
		n.Key = uint32(r.number(1<<32 - 1))
	}
	if uses.elem {
		n.Elem = uint32(r.number(1<<32 - 1))
	}
	if !uses.fields {
		return
	}
	if count := r.array(MaxFields, fieldBytes); count > 0 {
		n.Fields = make([]Field, count)
	}
	for i := range n.Fields {
		r.field(&n.Fields[i])
		if r.err != nil {
			r.err = fmt.Errorf("field %d: %w", i, r.err)
			return
		}
	}
}

func (r *reader) field(f *Field) {
	if members := r.count(); members != 3 && r.err == nil {
		r.err = fmt.Errorf("%d members do not make a field", members)
	}
	f.Name = r.name()
	f.Type = uint32(r.number(1<<32 - 1))
	flags := r.number(flagKeyed | flagOptional)
	f.Keyed, f.Optional = flags&flagKeyed != 0, flags&flagOptional != 0
}

// array reads the head of an array of items that have at least size bytes each.
func (r *reader) array(most, size int) int {
	n := r.count()
	if n > uint64(most) || n > uint64(len(r.rest)/size) {
		r.err = fmt.Errorf("%d items do not fit in %d bytes, or are more than %d", n, len(r.rest), most)
		return 0
	}
	return int(n)
}

func (r *reader) count() uint64 { return r.head(majorArray) }

func (r *reader) number(most uint64) uint64 {
	n := r.head(majorUint)
	if n > most {
		r.err = fmt.Errorf("%d is more than %d", n, most)
		return 0
	}
	return n
}

func (r *reader) name() string {
	n := r.head(majorText)
	if n > uint64(len(r.rest)) {
		r.err = errShort
		return ""
	}
	start := len(r.text) - len(r.rest)
	r.rest = r.rest[n:]
	return r.text[start : start+int(n)]
}

// head reads the head of an item of that major type, which has to be the shortest.
func (r *reader) head(major byte) uint64 {
	if r.err != nil {
		return 0
	}
	h := readHead(r.rest)
	switch {
	case h.size == 0:
		r.err = errors.New(noHead(r.rest))
	case h.major != major || h.size != headSize(h.n):
		r.err = fmt.Errorf("%#02x stands where major type %d belongs", r.rest[0], major)
	default:
		r.rest = r.rest[h.size:]
		return h.n
	}
	return 0
}
