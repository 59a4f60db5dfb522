package jsonview

import (
	"github.com/partywall/partywall/internal/document"
)

// few is how many names are looked through one by one.
const few = 8

// A fieldTable has the names of those structs that have many fields.
type fieldTable map[*document.Node]map[string]int

// find returns the index of the field of that name, or -1.
func (t *fieldTable) find(n *document.Node, name string) int {
	if len(n.Fields) <= few {
		for i := range n.Fields {
			if n.Fields[i].Name == name {
				return i
			}
		}
		return -1
	}
	known, ok := (*t)[n]
	if !ok {
		known = make(map[string]int, len(n.Fields))
		for i := range n.Fields {
			known[n.Fields[i].Name] = i
		}
		if *t == nil {
			*t = make(fieldTable)
		}
		(*t)[n] = known
	}
	if i, ok := known[name]; ok {
		return i
	}
	return -1
}

// fieldNames returns the names of all fields of a struct.
func fieldNames(n *document.Node) []string {
	names := make([]string, len(n.Fields))
	for i := range n.Fields {
		names[i] = n.Fields[i].Name
	}
	return names
}

// ambiguous finds a struct that has both a text and an integer as keys of fields
// that look the same in JSON.
func ambiguous(s *document.Schema) *fault {
	for i := range s.Nodes {
		var keyed map[string]bool
		for _, f := range s.Nodes[i].Fields {
			if f.Keyed {
				if keyed == nil {
					keyed = make(map[string]bool)
				}
				keyed[f.Name] = true
			}
		}
		for _, f := range s.Nodes[i].Fields {
			if !f.Keyed && keyed[f.Name] {
				return faultf("a struct has two fields that are called %s in JSON", shown(f.Name))
			}
		}
	}
	return nil
}
