package fixed

import (
	"fmt"
	"reflect"
	"strconv"
)

// fieldsOf returns t's fields in offset order, or an error that wraps
// ErrNotFixed.
func fieldsOf(t reflect.Type) ([]Field, error) {
	w := walker{done: make(map[reflect.Type][]Field)}
	var fields []Field
	var ref *refusal
	if t.Size() > MaxSize {
		ref = refuse(t, fmt.Sprintf("it takes %d bytes, and %d (1 GiB) are allowed; make it smaller", t.Size(), MaxSize))
	} else {
		fields, ref = w.walk(t)
	}
	if ref != nil {
		return nil, ref.of(t)
	}
	return fields, nil
}

// A walker expands types into fields. Each distinct type is walked once, and
// an array's fields are those of its element repeated, so that the work is
// bounded by the fields that come out and not by the elements that go in.
type walker struct {
	done map[reflect.Type][]Field
}

// walk returns the fields of t, with paths and offsets relative to t.
func (w *walker) walk(t reflect.Type) ([]Field, *refusal) {
	if fields, ok := w.done[t]; ok {
		return fields, nil
	}
	if why := special(t); why != "" {
		return nil, refuse(t, why)
	}
	var fields []Field
	var ref *refusal
	switch t.Kind() {
	case reflect.Array:
		fields, ref = w.array(t)
	case reflect.Struct:
		fields, ref = w.structure(t)
	default:
		kind := kindOf(t.Kind())
		if kind == 0 {
			return nil, refuse(t, advice(t.Kind()))
		}
		fields = []Field{{Kind: kind, Size: kind.Size(), Count: 1}}
	}
	if ref != nil {
		return nil, ref
	}
	// Asked after the fields, so that a struct that embeds a lock is refused
	// by the name of the field that is the lock.
	if isLock(t) {
		return nil, refuse(t, "a lock must not be copied; leave it out")
	}
	w.done[t] = fields
	return fields, nil
}

func (w *walker) array(t reflect.Type) ([]Field, *refusal) {
	n := t.Len()
	if n == 0 {
		return nil, nil
	}
	elem, ref := w.walk(t.Elem())
	if ref != nil {
		return nil, ref.below("[0]")
	}
	if len(elem) == 0 {
		return nil, nil
	}
	if len(elem) == 1 && elem[0].Path == "" {
		f := elem[0]
		f.Count *= uint32(n) // at most MaxSize, since an element has a byte or more
		return []Field{f}, nil
	}
	if n > MaxFields/len(elem) {
		return nil, refuse(t, tooMany)
	}
	l := list{fields: make([]Field, 0, n*len(elem))}
	for i := range n {
		name := "[" + strconv.Itoa(i) + "]"
		if why := l.add(name, uintptr(i)*t.Elem().Size(), elem); why != "" {
			return nil, refuse(t, why)
		}
	}
	return l.fields, nil
}

func (w *walker) structure(t reflect.Type) ([]Field, *refusal) {
	var l list
	for i := range t.NumField() {
		sf := t.Field(i)
		sub, ref := w.walk(sf.Type)
		if ref != nil {
			return nil, ref.below(sf.Name)
		}
		// The collector would follow a pointer in a blank field too, so its
		// type has been walked before it is left out.
		if sf.Name == "_" {
			continue
		}
		if why := l.add(sf.Name, sf.Offset, sub); why != "" {
			return nil, refuse(sf.Type, why).below(sf.Name)
		}
	}
	return l.fields, nil
}

// A list collects fields and stops at the limits of a schema.
type list struct {
	fields []Field
	bytes  int // of their encoding
}

// add appends the fields sub of the member name at offset. It returns why that
// is refused, or "".
func (l *list) add(name string, offset uintptr, sub []Field) string {
	if len(sub) > MaxFields-len(l.fields) {
		return tooMany
	}
	for _, f := range sub {
		f.Path = join(name, f.Path)
		f.Offset += uint32(offset)
		if len(f.Path) > MaxPath {
			return fmt.Sprintf("a field's path is longer than %d bytes; use shorter names or nest less", MaxPath)
		}
		l.bytes += fieldBytes + len(f.Path)
		if l.bytes > MaxSchema-headerBytes {
			return fmt.Sprintf("the schema is longer than %d bytes; use shorter names or fewer fields", MaxSchema)
		}
		l.fields = append(l.fields, f)
	}
	return ""
}

// join puts name, "[3]" or "Inner", before the path below it.
func join(name, path string) string {
	if name == "" || path == "" || path[0] == '[' {
		return name + path
	}
	return name + "." + path
}
