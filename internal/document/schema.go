package document

import "strconv"

// Kind is the kind of a node. The numbers stand in encoded schemas, so they
// never change their meaning; zero is no kind.
type Kind uint8

// The kinds. What they are in a document stands behind them; null is a value of
// every kind, and means zero.
const (
	Bool     Kind = 1 + iota // true or false
	Int                      // an integer that fits Bits, 8 to 64; a Go int has 64
	Uint                     // an integer from 0 that fits Bits
	Float                    // a float, or an integer; Bits is 32 or 64
	String                   // a text
	Bytes                    // a byte string; of Len bytes unless Len is 0
	Time                     // a text, RFC 3339 with nanoseconds
	Text                     // a text with a syntax of its own
	Any                      // any value
	List                     // an array of Elem
	Array                    // an array of Len Elem
	Map                      // a map from Key, a String, Int or Uint, to Elem
	Struct                   // a map with the names of Fields
	Tuple                    // an array with the values of Fields, in their order
	Nullable                 // Elem, or null: a pointer
)

var kindNames = [...]string{
	Bool: "bool", Int: "int", Uint: "uint", Float: "float", String: "string", Bytes: "bytes", Time: "time",
	Text: "text", Any: "any", List: "list", Array: "array", Map: "map", Struct: "struct", Tuple: "tuple",
	Nullable: "nullable",
}

// String returns the kind's name, or "kind(n)" if there is no such kind.
func (k Kind) String() string {
	if !k.valid() {
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

func (k Kind) valid() bool { return k > 0 && int(k) < len(kindNames) }

// The limits of a schema. They bound what a peer can make this process keep, and
// hold for a process's own types too, so that whatever one side accepts the other
// can parse.
const (
	MaxSchema = 400 << 10 // bytes of an encoded schema
	MaxNodes  = 1 << 16   // nodes of a schema
	MaxFields = 1 << 16   // fields of a schema, in all its nodes together
	MaxName   = 1000      // bytes of a field's name
)

// Schema describes the documents of a type. Nodes[0] is the whole document; the
// other nodes are referred to by their index, and recursive types refer back. A
// schema from [Type.Schema] or [ParseSchema] is well formed:
//
//   - it keeps to the limits above, and every index is one of a node;
//   - a member that the node's kind does not use is zero;
//   - a map's key is a String, Int or Uint, and no Nullable leads to a Nullable;
//   - names have printable characters only, no two fields of a node have the
//     same, and the name of a keyed field is a decimal int64;
//   - the fields of a Tuple are neither keyed nor optional;
//   - no node consists of itself, and each has a document of at most [MaxSize]
//     bytes that is null nowhere but in pointers, lists and maps.
//
// A Schema that nobody changes is safe for concurrent use.
type Schema struct {
	Nodes []Node
}

// Node is one type in a schema.
type Node struct {
	Kind   Kind
	Bits   uint8
	Len    uint32
	Key    uint32
	Elem   uint32
	Fields []Field
}

// Field is a field of a struct or tuple.
type Field struct {
	Name     string // as in the document; for a keyasint field its decimal number
	Keyed    bool   // the map key is the integer Name, not the text
	Type     uint32 // the index of its node
	Optional bool   // it may be left out
}
