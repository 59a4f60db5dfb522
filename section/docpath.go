package section

import (
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/jsonview"
)

// A docStep leads from a value in a document to one within it.
type docStep struct {
	key  any    // in a map: a string, uint64 or int64, as package cbor has it; nil in a list
	at   int    // in a list
	node uint32 // of the type there
}

// documentNull is the document that is zero, whatever the type.
var documentNull = []byte{0xf6}

// steps follows a path through the types of a document. The error wraps ErrInput.
func (s *shape) steps(path string) (steps []docStep, err error) {
	schema := s.form.document
	var at uint32
	for rest := path; rest != ""; {
		if len(steps) > 0 {
			rest = strings.TrimPrefix(rest, ".")
		}
		step, after, ok := stepInto(schema, through(schema, at), rest)
		if !ok {
			return nil, s.noField(path)
		}
		steps = append(steps, step)
		at, rest = step.node, after
	}
	return steps, nil
}

// through returns what a node is if it is not null.
func through(schema *document.Schema, at uint32) *document.Node {
	n := &schema.Nodes[at]
	if n.Kind == document.Nullable {
		n = &schema.Nodes[n.Elem]
	}
	return n
}

// stepInto takes the first step of a path.
func stepInto(schema *document.Schema, n *document.Node, path string) (step docStep, rest string, ok bool) {
	if path[0] == '[' {
		index, rest, closed := strings.Cut(path[1:], "]")
		i, err := strconv.ParseUint(index, 10, 31)
		step = docStep{at: int(i), node: n.Elem}
		switch {
		case !closed || err != nil:
			return step, "", false
		case n.Kind == document.Tuple && int(i) < len(n.Fields):
			step.node = n.Fields[i].Type
			return step, rest, true
		}
		return step, rest, n.Kind == document.List || n.Kind == document.Array && i < uint64(n.Len)
	}
	switch n.Kind {
	case document.Struct, document.Tuple:
		return fieldStep(n, path)
	case document.Map:
		key := path
		switch through(schema, n.Elem).Kind {
		case document.Struct, document.Tuple, document.Map, document.List, document.Array:
			if end := strings.IndexAny(path[1:], ".["); end >= 0 {
				key = path[:end+1]
			}
		}
		step = docStep{key: key, node: n.Elem}
		if schema.Nodes[n.Key].Kind != document.String {
			step.key, ok = integerKey(key)
			return step, path[len(key):], ok
		}
		return step, path[len(key):], true
	}
	return step, "", false
}

// fieldStep finds the field with the longest name that begins a path: a name may have dots in it.
func fieldStep(n *document.Node, path string) (step docStep, rest string, ok bool) {
	longest := -1
	for i, f := range n.Fields {
		after, begins := strings.CutPrefix(path, f.Name)
		if !begins || f.Name == "" || after != "" && after[0] != '.' && after[0] != '[' || len(f.Name) <= longest {
			continue
		}
		longest = len(f.Name)
		step, rest, ok = docStep{key: f.Name, node: f.Type}, after, true
		switch {
		case n.Kind == document.Tuple:
			step.key, step.at = nil, i
		case f.Keyed:
			step.key, ok = integerKey(f.Name)
		}
	}
	return step, rest, ok
}

// integerKey is a number as package cbor decodes it into an any.
func integerKey(text string) (key any, ok bool) {
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return u, true
	}
	i, err := strconv.ParseInt(text, 10, 64)
	return i, err == nil
}

// below returns the schema of what some steps lead to.
func below(s *document.Schema, steps []docStep) *document.Schema {
	if len(steps) == 0 {
		return s
	}
	sub := &document.Schema{}
	place := map[uint32]uint32{} // from the number of a node to its number in sub
	var order []uint32
	number := func(at uint32) uint32 {
		n, ok := place[at]
		if !ok {
			n = uint32(len(order))
			place[at] = n
			order = append(order, at)
		}
		return n
	}
	number(steps[len(steps)-1].node)
	for i := 0; i < len(order); i++ {
		n := s.Nodes[order[i]]
		switch n.Kind {
		case document.Map:
			n.Key, n.Elem = number(n.Key), number(n.Elem)
		case document.List, document.Array, document.Nullable:
			n.Elem = number(n.Elem)
		case document.Struct, document.Tuple:
			n.Fields = append([]document.Field(nil), n.Fields...)
			for j := range n.Fields {
				n.Fields[j].Type = number(n.Fields[j].Type)
			}
		}
		sub.Nodes = append(sub.Nodes, n)
	}
	return sub
}

// documentFields lists the fields of the structs that a document consists of; not all, if they are
// very many or a type occurs within itself.
func documentFields(s *document.Schema) (fields []Field) {
	const most, deepest = 1000, 8
	var list func(at uint32, before string, depth int)
	list = func(at uint32, before string, depth int) {
		for _, f := range s.Nodes[at].Fields {
			path := before + f.Name
			inner := through(s, f.Type)
			switch {
			case len(fields) >= most:
				return
			case inner.Kind == document.Struct && depth < deepest && s.Nodes[f.Type].Kind == document.Struct:
				list(f.Type, path+".", depth+1)
			default:
				fields = append(fields, Field{path, below(s, []docStep{{node: f.Type}}).Signature()})
			}
		}
	}
	list(0, "", 0)
	return fields
}

var (
	docDecoder = func() cbor.DecMode {
		m, err := cbor.DecOptions{
			DupMapKey:        cbor.DupMapKeyEnforcedAPF,
			MaxNestedLevels:  document.MaxDepth,
			MaxArrayElements: document.MaxSize,
			MaxMapPairs:      document.MaxSize / 2,
			IndefLength:      cbor.IndefLengthForbidden,
			TagsMd:           cbor.TagsForbidden,
		}.DecMode()
		if err != nil {
			panic(err)
		}
		return m
	}()
	docEncoder = func() cbor.EncMode {
		m, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			panic(err)
		}
		return m
	}()
)

// documentToJSON writes a document, or what a path leads to. What is not there is zero.
func (s *shape) documentToJSON(data []byte, path string) ([]byte, error) {
	steps, err := s.steps(path)
	if err != nil {
		return nil, err
	}
	raw := cbor.RawMessage(data)
	for _, step := range steps {
		if raw, err = step.get(raw); err != nil {
			return nil, protocol(err)
		}
	}
	if len(raw) == 0 {
		raw = documentNull
	}
	return jsonview.DocumentToJSON(below(s.form.document, steps), raw)
}

// setDocument returns a document with another value where a path leads to. All else stays, also what
// the schema does not know.
func (s *shape) setDocument(data []byte, path string, text []byte) ([]byte, error) {
	steps, err := s.steps(path)
	if err != nil {
		return nil, err
	}
	value, err := jsonview.DocumentFromJSON(below(s.form.document, steps), text)
	if err != nil {
		return nil, about(path, typed(err))
	}
	changed, err := setBelow(data, steps, value)
	return changed, about(path, err)
}

func setBelow(raw cbor.RawMessage, steps []docStep, value []byte) (cbor.RawMessage, error) {
	if len(steps) == 0 {
		return value, nil
	}
	step := steps[0]
	old, err := step.get(raw)
	if err != nil {
		return nil, protocol(err)
	}
	if value, err = setBelow(old, steps[1:], value); err != nil {
		return nil, err
	}
	if step.key == nil {
		list, err := elements(raw)
		if err != nil {
			return nil, protocol(err)
		}
		if step.at >= len(list) {
			return nil, inputf("there are %d elements, and no [%d]: give the whole list", len(list), step.at)
		}
		list[step.at] = value
		return docEncoder.Marshal(list)
	}
	all, err := members(raw)
	if err != nil {
		return nil, protocol(err)
	}
	all[step.key] = value
	return docEncoder.Marshal(all)
}

// get returns what the step leads to, nothing if that is not there.
func (s docStep) get(raw cbor.RawMessage) (cbor.RawMessage, error) {
	if s.key == nil {
		list, err := elements(raw)
		if err != nil || s.at >= len(list) {
			return nil, err
		}
		return list[s.at], nil
	}
	all, err := members(raw)
	return all[s.key], err
}

func members(raw cbor.RawMessage) (all map[any]cbor.RawMessage, err error) {
	if len(raw) > 0 {
		err = docDecoder.Unmarshal(raw, &all)
	}
	if all == nil {
		all = map[any]cbor.RawMessage{}
	}
	return all, err
}

func elements(raw cbor.RawMessage) (list []cbor.RawMessage, err error) {
	if len(raw) > 0 {
		err = docDecoder.Unmarshal(raw, &list)
	}
	return list, err
}
