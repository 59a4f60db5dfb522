package document

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// maxNesting bounds types within types, and with it the recursion over them.
const maxNesting = 1000

// A walker finds the shapes of types. Each distinct type has one.
type walker struct {
	shapes  map[reflect.Type]*shape
	order   []*shape
	nesting int
}

// nodes returns the shapes as nodes, in the order in which they were met.
func (w *walker) nodes() []Node {
	nodes := make([]Node, len(w.order))
	for i, s := range w.order {
		nodes[i] = s.node()
	}
	return nodes
}

// walk returns the shape of t. If t is being walked already, further up, the shape
// is not complete yet.
func (w *walker) walk(t reflect.Type) (*shape, *refusal) {
	if s, ok := w.shapes[t]; ok {
		return s, nil
	}
	if w.nesting++; w.nesting > maxNesting {
		return nil, refuse(t, fmt.Sprintf("it lies within more than %d types; nest less", maxNesting))
	}
	defer func() { w.nesting-- }()

	s := &shape{typ: t, number: uint32(len(w.order))}
	w.shapes[t] = s
	w.order = append(w.order, s)
	if len(w.order) > MaxNodes {
		return nil, refuse(t, fmt.Sprintf("there are more than %d types within; use fewer", MaxNodes))
	}
	var ref *refusal
	switch special, why := specialKind(t); {
	case why != "":
		ref = refuse(t, why)
	case special != 0:
		s.kind, s.opaque = special, special == Any
	default:
		ref = w.basic(s, t)
	}
	if ref != nil {
		return nil, ref
	}
	return s, nil
}

// basic completes the shape of a type that has no say in its encoding.
func (w *walker) basic(s *shape, t reflect.Type) (ref *refusal) {
	switch t.Kind() {
	case reflect.Bool:
		s.kind = Bool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.kind, s.bits = Int, uint8(t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.kind, s.bits = Uint, uint8(t.Bits())
	case reflect.Float32, reflect.Float64:
		s.kind, s.bits = Float, uint8(t.Bits())
	case reflect.String:
		s.kind = String
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return refuse(t, "what lies behind an interface with methods cannot be decoded; use one type, or any")
		}
		s.kind = Any
	case reflect.Slice:
		s.kind = Bytes
		if t.Elem().Kind() != reflect.Uint8 {
			s.kind = List
			s.elem, ref = w.below(t.Elem(), "[]")
		}
	case reflect.Array:
		return w.array(s, t)
	case reflect.Map:
		return w.mapping(s, t)
	case reflect.Pointer:
		return w.pointer(s, t)
	case reflect.Struct:
		return w.structure(s, t)
	default:
		return refuse(t, advice(t.Kind()))
	}
	if k := t.Kind(); k == reflect.Int || k == reflect.Uint {
		s.bits = 64 // whatever this machine has
	}
	return ref
}

// below walks a type that is reached from another by the step of that name.
func (w *walker) below(t reflect.Type, name string) (*shape, *refusal) {
	s, ref := w.walk(t)
	if ref != nil {
		return nil, ref.below(name)
	}
	return s, nil
}

func (w *walker) array(s *shape, t reflect.Type) (ref *refusal) {
	if uint64(t.Len()) > math.MaxUint32 {
		return refuse(t, "it has more than 1<<32 elements; use fewer")
	}
	s.kind, s.length = Bytes, t.Len()
	if t.Elem().Kind() != reflect.Uint8 {
		s.kind = Array
		s.elem, ref = w.below(t.Elem(), "[0]")
	}
	return ref
}

func (w *walker) mapping(s *shape, t reflect.Type) (ref *refusal) {
	s.kind = Map
	// The kind of a key is known at once, for a key is never recursive.
	s.key, ref = w.below(t.Key(), "[key]")
	if ref == nil && s.key.kind != String && s.key.kind != Int && s.key.kind != Uint {
		ref = refuse(t, fmt.Sprintf("its keys, %v, are neither strings nor integers; use those, or a slice of structs with key and value", t.Key()))
	}
	if ref == nil {
		s.elem, ref = w.below(t.Elem(), "[]")
	}
	return ref
}

// pointer gives a pointer to a pointer the shape of a pointer: a document cannot
// tell them apart.
func (w *walker) pointer(s *shape, t reflect.Type) (ref *refusal) {
	s.kind = Nullable
	elem, ok := pointee(t)
	if !ok {
		return refuse(t, "it is a pointer to itself, or to too many pointers; use a struct that has it as a field")
	}
	s.elem, ref = w.below(elem, "")
	return ref
}

func (w *walker) structure(s *shape, t reflect.Type) *refusal {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && isLock(f.Type) {
			return refuse(f.Type, lockAdvice).below(f.Name)
		}
	}
	if isLock(t) {
		return refuse(t, lockAdvice)
	}
	s.kind = Struct
	if isTuple(t) {
		s.kind = Tuple
	}
	var ref *refusal
	if s.members, s.pointees, ref = membersOf(t); ref != nil {
		return ref
	}
	if len(s.members) == 0 && hidesFields(t) {
		return refuse(t, "none of its fields is exported, so all would be lost; export them, or give it MarshalText and UnmarshalText")
	}
	names := make(map[fieldKey]bool, len(s.members))
	for i := range s.members {
		m := &s.members[i]
		name := fieldPath(t, m.index)
		why := badName(m.name)
		if s.kind == Tuple {
			m.keyed, m.optional = false, false
		}
		switch {
		case why != "":
			why += "; give it another in its tag"
		case names[m.key()]:
			why = "another field has that name too; give it another in its tag"
		}
		if why != "" {
			return refuse(m.typ, why).below(name)
		}
		names[m.key()] = true
		if m.shape, ref = w.below(m.typ, name); ref != nil {
			return ref
		}
	}
	return nil
}

// fieldPath returns the field's name in Go, with those of the embedded structs.
func fieldPath(t reflect.Type, index []int) string {
	names := make([]string, len(index))
	for i, n := range index {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		f := t.Field(n)
		names[i], t = f.Name, f.Type
	}
	return strings.Join(names, ".")
}

// canonicalKey returns a keyasint name as the library does, "+01" as "1".
func canonicalKey(name string) (string, bool) {
	n, err := strconv.Atoi(name)
	return strconv.Itoa(n), err == nil
}
