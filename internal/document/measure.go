package document

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/partywall/partywall"
)

// maxHops bounds the pointers and anys on the way to a value, which add nothing to
// the depth of its document.
const maxHops = 1000

// A measurer walks a Go value before it is encoded. The library would follow a
// value that leads back to itself until the stack is full, and would encode any
// number of bytes before it could be told that they are too many.
//
// It looks at what has no size of its own: strings, slices, maps, pointers and
// anys. What it counts is less than the document will have or as much, and it
// counts at least one for whatever it looks at, so that its work is bounded too.
type measurer struct {
	bytes int64
	hops  int
}

var errDeep = fmt.Errorf("it is nested more than %d deep, or leads back to itself", MaxDepth)

func (m *measurer) walk(s *shape, v reflect.Value, depth int) *fault {
	if s.plain {
		return m.add(int64(s.least))
	}
	switch s.kind {
	case String:
		return m.add(int64(1 + v.Len()))
	case Bytes:
		return m.add(int64(1 + v.Len()))
	case Time:
		if why := badTime(v.Interface().(time.Time)); why != nil {
			return &fault{err: why}
		}
		return m.add(1)
	case Nullable, Any:
		return m.indirect(s, v, depth)
	}
	if depth == MaxDepth {
		return &fault{err: errDeep}
	}
	if s.kind != Struct && s.kind != Tuple {
		// A head, and a null where there is nothing.
		if f := m.add(1); f != nil {
			return f
		}
	}
	switch s.kind {
	case List, Array:
		return m.list(s, v, depth+1)
	case Map:
		return m.mapping(s, v, depth+1)
	}
	return m.structure(s, v, depth+1)
}

func (m *measurer) add(n int64) *fault {
	if m.bytes += n; m.bytes > MaxSize {
		return &fault{err: errLarge, whole: true}
	}
	return nil
}

var errLarge = fmt.Errorf("%w: as a document the value has more than %d bytes (64 MiB): send it in parts, or in the body", partywall.ErrTooLarge, MaxSize)

// indirect measures what a pointer or an any leads to.
func (m *measurer) indirect(s *shape, v reflect.Value, depth int) *fault {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface && v.IsNil() {
		return m.add(1)
	}
	elem := s.elem
	if s.kind == Any {
		v = v.Elem()
		t, err := OfType(v.Type())
		if err != nil {
			return &fault{err: err}
		}
		elem = t.shape
	}
	if m.hops++; m.hops > maxHops {
		return &fault{err: errDeep}
	}
	f := m.walk(elem, v, depth)
	m.hops--
	return f
}

func (m *measurer) list(s *shape, v reflect.Value, depth int) *fault {
	n := v.Len()
	if s.elem.plain {
		return m.add(int64(n) * int64(s.elem.least))
	}
	for i := range n {
		if f := m.walk(s.elem, v.Index(i), depth); f != nil {
			return f.at(i)
		}
	}
	return nil
}

func (m *measurer) mapping(s *shape, v reflect.Value, depth int) *fault {
	if s.elem.plain { // keys are not looked at: each string is there only once
		return m.add(int64(v.Len()) * int64(s.elem.least+s.key.least))
	}
	if v.Len() == 0 {
		return nil
	}
	key, elem := reflect.New(s.key.typ).Elem(), reflect.New(s.elem.typ).Elem()
	for it := v.MapRange(); it.Next(); {
		key.SetIterKey(it)
		if f := m.walk(s.key, key, depth); f != nil {
			return f
		}
		elem.SetIterValue(it)
		if f := m.walk(s.elem, elem, depth); f != nil {
			return f.below(fmt.Sprintf("[%.60q]", fmt.Sprint(key)))
		}
	}
	return nil
}

func (m *measurer) structure(s *shape, v reflect.Value, depth int) *fault {
	if f := m.add(int64(max(s.overhead, 1))); f != nil {
		return f
	}
	for i := range s.members {
		member := &s.members[i]
		field, ok := fieldOf(v, member.index)
		if !ok {
			continue
		}
		before := m.bytes
		if f := m.walk(member.shape, field, depth); f != nil {
			return f.below(member.name)
		}
		if member.optional {
			// It may be left out, and then it was no more than the least.
			m.bytes = max(before, m.bytes-int64(member.shape.least))
		}
	}
	return nil
}

// fieldOf returns the field of struct v at the index, unless an embedded pointer on
// the way is nil.
func fieldOf(v reflect.Value, index []int) (reflect.Value, bool) {
	for i, n := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}

// badTime says why RFC 3339 has no text for t, or nil. The library would write one
// all the same, for another time.
func badTime(t time.Time) error {
	if y := t.Year(); y < 0 || y > 9999 {
		return fmt.Errorf("the year %d has no text in RFC 3339, which has 0 to 9999", y)
	}
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600 {
		return errors.New("the offset of the time's zone is no whole number of minutes within a day; use its UTC")
	}
	return nil
}
