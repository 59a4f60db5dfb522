package document

import (
	"strconv"
	"strings"
)

// maxSignature bounds a signature, in bytes.
const maxSignature = 300

const more = "..."

// Signature returns one line that says what the documents are, for people, such as
// "{text string, n int64, tags? []string}". What may be left out has a ?; a pointer
// is *T, a tuple (a int64, b text). Where a type occurs within itself there is
// "...", and also where the line would be longer than about 300 bytes.
func (s *Schema) Signature() string {
	return signature(s.Nodes, 0)
}

// signature is Signature of node i.
func signature(nodes []Node, i uint32) string {
	w := signer{nodes: nodes, open: make(map[uint32]bool)}
	w.node(i)
	return w.String()
}

// A signer writes a signature. Once it is full it only writes what closes the
// brackets that are open.
type signer struct {
	strings.Builder
	nodes []Node
	open  map[uint32]bool // structs that are being written
}

func (w *signer) full() bool { return w.Len() > maxSignature }

func (w *signer) node(i uint32) {
	if w.full() || w.open[i] || uint64(i) >= uint64(len(w.nodes)) {
		w.WriteString(more)
		return
	}
	w.open[i] = true
	defer delete(w.open, i)
	n := &w.nodes[i]
	switch n.Kind {
	case Int, Uint, Float:
		w.WriteString(n.Kind.String() + strconv.Itoa(int(n.Bits)))
	case Bytes:
		w.length(n.Len)
		w.WriteString("byte")
	case List:
		w.WriteString("[]")
		w.node(n.Elem)
	case Array:
		w.WriteString("[" + strconv.FormatUint(uint64(n.Len), 10) + "]")
		w.node(n.Elem)
	case Map:
		w.WriteString("map[")
		w.node(n.Key)
		w.WriteString("]")
		w.node(n.Elem)
	case Nullable:
		w.WriteString("*")
		w.node(n.Elem)
	case Struct:
		w.fields(n, "{", "}")
	case Tuple:
		w.fields(n, "(", ")")
	default:
		w.WriteString(n.Kind.String())
	}
}

func (w *signer) length(n uint32) {
	if n == 0 {
		w.WriteString("[]")
		return
	}
	w.WriteString("[" + strconv.FormatUint(uint64(n), 10) + "]")
}

func (w *signer) fields(n *Node, begin, end string) {
	w.WriteString(begin)
	for i := range n.Fields {
		if i > 0 {
			w.WriteString(", ")
		}
		f := &n.Fields[i]
		name := shorten(f.Name)
		if w.full() || i > 0 && w.Len()+len(name) > maxSignature {
			w.WriteString(more)
			break
		}
		w.WriteString(name)
		if f.Optional {
			w.WriteString("?")
		}
		w.WriteString(" ")
		w.node(f.Type)
	}
	w.WriteString(end)
}
