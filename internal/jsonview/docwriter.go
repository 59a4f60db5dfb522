package jsonview

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"github.com/partywall/partywall/internal/document"
)

// DocumentToJSON returns a document as JSON without spaces, in the forms that
// [DocumentFromJSON] reads. Fields stand in the order of the schema; those that the
// document does not have are left out, and so is what the schema does not have.
// Where null stands for something that JSON has no null for, its zero value is
// written. A float where any value is allowed always has a fraction or an exponent.
//
// The document may be any bytes. The error wraps [partywall.ErrProtocol] if they are
// no document of that schema, or if a struct of s has two fields that have the same
// name in JSON. It takes time in proportion to the document's length and depth.
//
// s has to be one that [document.ParseSchema] has returned, or that of a type.
func DocumentToJSON(s *document.Schema, doc []byte) ([]byte, error) {
	if f := ambiguous(s); f != nil {
		return nil, f.foreign("schema")
	}
	if len(doc) > document.MaxSize {
		return nil, faultf("%d bytes are more than %d", len(doc), document.MaxSize).foreign("document")
	}
	switch err := forms.Wellformed(doc); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, faultf("it ends too early").foreign("document")
	case err != nil:
		return nil, faultf("%v", err).foreign("document")
	}
	w := documentWriter{
		scanner: scanner{doc: doc},
		schema:  s,
		out:     make([]byte, 0, 64+len(doc)),
	}
	if f := w.value(0); f != nil {
		return nil, f.foreign("document")
	}
	return w.out, nil
}

// A documentWriter writes a document as JSON.
type documentWriter struct {
	scanner
	schema  *document.Schema
	out     []byte
	members []fieldText
	keys    []span
	scratch []byte
	fields  fieldTable
}

// A fieldText is where the JSON of a field stands, which has a comma at its end.
type fieldText struct{ field, start, end int }

// value writes the next item, which is to be of the type that is node i.
func (w *documentWriter) value(i uint32) *fault {
	n := &w.schema.Nodes[i]
	if w.null() {
		w.out = append(w.out, zeroText(n)...)
		return nil
	}
	if n.Kind == document.Nullable {
		n = &w.schema.Nodes[n.Elem]
	}
	switch n.Kind {
	case document.Any:
		return w.any()
	case document.List:
		return w.array("a list", -1, func(int) *fault { return w.value(n.Elem) })
	case document.Array:
		return w.array("an array", int64(n.Len), func(int) *fault { return w.value(n.Elem) })
	case document.Tuple:
		return w.array("a tuple", int64(len(n.Fields)), func(i int) *fault { return w.value(n.Fields[i].Type) })
	case document.Map:
		return w.mapping(n)
	case document.Struct:
		return w.structure(n)
	}
	return w.scalar(n)
}

// array writes an array of exactly length elements, or of any number of them if that
// is negative. Each writes an element.
func (w *documentWriter) array(need string, length int64, each func(i int) *fault) *fault {
	h := w.head()
	switch {
	case h.major != majorArray:
		return h.mismatch(need)
	case length >= 0 && int64(h.n) != length:
		return faultf("an array of %d, where %d are needed", h.n, length)
	}
	w.out = append(w.out, '[')
	for i := range int(h.n) {
		if f := each(i); f != nil {
			return f.below(index(i))
		}
		w.out = append(w.out, ',')
	}
	w.end(']')
	return nil
}

// end ends an array or object, whose members have a comma at their end.
func (w *documentWriter) end(bracket byte) {
	if last := len(w.out) - 1; w.out[last] == ',' {
		w.out[last] = bracket
	} else {
		w.out = append(w.out, bracket)
	}
}

func (w *documentWriter) structure(n *document.Node) *fault {
	h := w.head()
	if h.major != majorMap {
		return h.mismatch("a map")
	}
	w.out = append(w.out, '{')
	base, start := len(w.members), len(w.out)
	for range int(h.n) {
		i, f := w.fieldKey(n)
		if f != nil {
			return f
		}
		if i < 0 {
			w.skip()
			continue
		}
		m := fieldText{field: i, start: len(w.out)}
		name := n.Fields[i].Name
		w.out = append(appendText(w.out, []byte(name)), ':')
		if f := w.value(n.Fields[i].Type); f != nil {
			return f.below(member(name))
		}
		w.out = append(w.out, ',')
		m.end = len(w.out)
		w.members = append(w.members, m)
	}
	members := w.members[base:]
	w.members = w.members[:base]
	order := func(a, b fieldText) int { return cmp.Compare(a.field, b.field) }
	if !slices.IsSortedFunc(members, order) {
		slices.SortFunc(members, order)
		w.scratch = append(w.scratch[:0], w.out[start:]...)
		w.out = w.out[:start]
		for _, m := range members {
			w.out = append(w.out, w.scratch[m.start-start:m.end-start]...)
		}
	}
	for i := 1; i < len(members); i++ {
		if members[i].field == members[i-1].field {
			return twice(n.Fields[members[i].field].Name)
		}
	}
	w.end('}')
	return nil
}

// fieldKey reads a key and returns the index of its field, or -1 if n has none.
func (w *documentWriter) fieldKey(n *document.Node) (int, *fault) {
	h := w.head()
	keyed, name := true, ""
	switch h.major {
	case majorText:
		keyed, name = false, string(w.content(h))
	case majorUint, majorNint:
		name = h.decimal()
	default:
		return -1, faultf("%s, where the name of a field is needed", h.describe())
	}
	if i := w.fields.find(n, name); i >= 0 && n.Fields[i].Keyed == keyed {
		return i, nil
	}
	return -1, nil
}
