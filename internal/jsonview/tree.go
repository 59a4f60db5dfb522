package jsonview

import (
	"strconv"
	"strings"

	"github.com/partywall/partywall/internal/fixed"
)

// A node is a value within a fixed layout: a field of the schema, or a struct or an
// array that the paths of the fields tell of.
type node struct {
	name   string       // of a struct's field
	field  *fixed.Field // of a leaf, nil otherwise
	list   bool         // the kids are elements
	kids   []*node
	byName map[string]int // of the kids, once there are many
}

// treeOf builds the nodes that the paths of a schema describe. A fault says which
// path is none: the rule of a schema is about their characters, and a peer may have
// put those in any order.
func treeOf(s *fixed.Schema) (*node, *fault) {
	root := &node{}
	for i := range s.Fields {
		f := &s.Fields[i]
		if !root.add(f.Path, f) {
			return nil, faultf("path %s is not one of a struct or array, or it is out of order", quote(f.Path))
		}
	}
	return root, nil
}

// add puts a field at the end of path below n. The fields of a struct or array lie
// side by side, so that only the last of the kids may get kids of its own.
func (n *node) add(path string, f *fixed.Field) bool {
	for path != "" {
		element := path[0] == '['
		name, rest, ok := cutStep(path)
		if !ok || n.field != nil || n.kids != nil && n.list != element {
			return false
		}
		n.list = element
		if element {
			n = n.element(name)
		} else {
			n = n.member(name)
		}
		if n == nil {
			return false
		}
		path = rest
	}
	if n.field != nil || n.kids != nil {
		return false
	}
	n.field = f
	return true
}

// cutStep returns the name or index at the front of path and the path below it.
func cutStep(path string) (name, rest string, ok bool) {
	if path[0] == '[' {
		name, rest, ok = strings.Cut(path[1:], "]")
	} else {
		end := strings.IndexAny(path, ".[]")
		if end < 0 {
			return path, "", true
		}
		name, rest, ok = path[:end], path[end:], true
	}
	switch {
	case rest == "" || rest[0] == '[':
	case rest[0] != '.' || rest == "." || rest[1] == '[':
		return "", "", false
	default:
		rest = rest[1:]
	}
	return name, rest, ok && name != ""
}

// element returns the kid of that index, new if it is the next one, or nil.
func (n *node) element(index string) *node {
	last := len(n.kids) - 1
	switch {
	case last >= 0 && index == strconv.Itoa(last):
		return n.kids[last]
	case index == strconv.Itoa(last+1):
		n.kids = append(n.kids, &node{})
		return n.kids[last+1]
	}
	return nil
}

// member returns the kid of that name, new if there is none, or nil if it is not the
// last one.
func (n *node) member(name string) *node {
	switch i := n.find(name); i {
	case -1:
		kid := &node{name: name}
		n.kids = append(n.kids, kid)
		n.remember()
		return kid
	case len(n.kids) - 1:
		return n.kids[i]
	}
	return nil
}

// remember enters the last kid into the table of names.
func (n *node) remember() {
	switch {
	case len(n.kids) <= few:
		return
	case n.byName == nil:
		n.byName = make(map[string]int, 2*few)
		for i, kid := range n.kids {
			n.byName[kid.name] = i
		}
	}
	n.byName[n.kids[len(n.kids)-1].name] = len(n.kids) - 1
}

// find returns the index of the kid of that name, or -1.
func (n *node) find(name string) int {
	if n.byName != nil {
		if i, ok := n.byName[name]; ok {
			return i
		}
		return -1
	}
	for i, kid := range n.kids {
		if kid.name == name {
			return i
		}
	}
	return -1
}

// names returns the names of the kids.
func (n *node) names() []string {
	names := make([]string, len(n.kids))
	for i, kid := range n.kids {
		names[i] = kid.name
	}
	return names
}

// typeName names the type of a field in the syntax of Go.
func typeName(f *fixed.Field) string {
	if f.Count == 1 {
		return f.Kind.String()
	}
	return "[" + strconv.FormatUint(uint64(f.Count), 10) + "]" + f.Kind.String()
}
