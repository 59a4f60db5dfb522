package document

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
)

// any checks the next value of an any.
func (s *scanner) any(depth int) *fault {
	h, f := s.head()
	if f != nil {
		return f
	}
	switch h.major {
	case majorUint, majorNint:
		if h.n > math.MaxInt64 {
			if h.major == majorNint {
				return faultf("a negative integer stands there that does not fit int64")
			}
			s.big = true
		}
		return s.use(1, boxBytes)
	case majorBytes:
		if _, f = s.take(h.n); f == nil {
			f = s.use(1, headerBytes+h.n)
		}
		return f
	case majorText:
		if _, f = s.text(h.n); f == nil {
			f = s.use(1, textBytes+h.n)
		}
		return f
	case majorArray:
		if f = s.count(h.n, 1, depth); f == nil {
			f = s.use(1, headerBytes+anyBytes*h.n)
		}
		for i := 0; f == nil && i < int(h.n); i++ {
			if f = s.any(depth + 1); f != nil {
				f.at(i)
			}
		}
		return f
	case majorMap:
		return s.anyMap(h, depth)
	}
	if !plainSimple(h) {
		return faultf("%s stands where any value belongs", words(h))
	}
	return s.use(1, boxBytes)
}

func (s *scanner) anyMap(h head, depth int) *fault {
	f := s.count(h.n, 2, depth)
	if f == nil {
		f = s.use(1, mapBytes+mapFactor*(textBytes+anyBytes)*h.n)
	}
	if f != nil {
		return f
	}
	for range h.n {
		key := s.rest
		if f := s.anyKey(); f != nil {
			return f.below("[key]")
		}
		if f := s.any(depth + 1); f != nil {
			return f.below(keyName(key))
		}
	}
	return nil
}

func (s *scanner) anyKey() *fault {
	h, f := s.head()
	if f != nil {
		return f
	}
	if h.major != majorText {
		return faultf("%s stands where a key belongs, and in an any a key is a text", words(h))
	}
	if _, f = s.text(h.n); f == nil {
		f = s.use(h.n, 1)
	}
	return f
}

// skip checks the form of the next value, which is of no known type.
func (s *scanner) skip(depth int) *fault {
	h, f := s.head()
	if f != nil {
		return f
	}
	items := h.n
	switch h.major {
	case majorUint, majorNint:
		return nil
	case majorBytes:
		_, f = s.take(h.n)
		return f
	case majorText:
		_, f = s.text(h.n)
		return f
	case majorArray:
		f = s.count(h.n, 1, depth)
	case majorMap:
		f = s.count(h.n, 2, depth)
		items *= 2
	default:
		if !plainSimple(h) {
			f = faultf("%s stands where a value belongs", words(h))
		}
		return f
	}
	for ; f == nil && items > 0; items-- {
		f = s.skip(depth + 1)
	}
	return f
}

// plainSimple reports whether h is false, true, null or a float.
func plainSimple(h head) bool {
	return h.first >= simpleFalse && h.first <= simpleNull || h.first >= simpleFloat16 && h.first <= simpleFloat64
}

// words says what begins with h.
func words(h head) string {
	switch h.major {
	case majorUint, majorNint:
		return "an integer"
	case majorBytes:
		return "a byte string"
	case majorText:
		return "a text"
	case majorArray:
		return "a list"
	case majorMap:
		return "a map"
	case majorTag:
		return "a tag"
	}
	switch {
	case h.first == simpleFalse || h.first == simpleTrue:
		return "a bool"
	case h.first >= simpleFloat16:
		return "a float"
	case h.first == simpleNull:
		return "null"
	}
	return "a simple value"
}

// words says what the shape is.
func (s *shape) words() string {
	switch s.kind {
	case List, Array, Map, Struct, Tuple:
		return "a " + s.kind.String()
	}
	return signature([]Node{s.node()}, 0)
}

func wrong(sh *shape, h head) *fault {
	return faultf("%s stands where %s belongs", words(h), sh.words())
}

// keyName returns the map key that b begins with as a step of a path.
func keyName(b []byte) string {
	h := readHead(b)
	switch h.major {
	case majorText:
		return fmt.Sprintf("[%.60q]", b[h.size:h.size+int(h.n)])
	case majorNint:
		return fmt.Sprintf("[-%d]", h.n+1) // of a map that has been checked, so it fits
	}
	return fmt.Sprintf("[%d]", h.n)
}

// bigInts replaces the integers beyond int64 in the anys of v, which the library
// has decoded as big.Int, by uint64. The library knows no better: what makes it
// decode those as uint64 makes it decode all integers so that are not negative.
func bigInts(s *shape, v reflect.Value) {
	if !s.anys {
		return
	}
	switch s.kind {
	case Any:
		if !v.IsNil() {
			v.Set(reflect.ValueOf(small(v.Interface())))
		}
	case Nullable:
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return
			}
			v = v.Elem()
		}
		bigInts(s.elem, v)
	case List, Array:
		for i := range v.Len() {
			bigInts(s.elem, v.Index(i))
		}
	case Map:
		elem := reflect.New(s.elem.typ).Elem()
		for it := v.MapRange(); it.Next(); {
			elem.SetIterValue(it)
			bigInts(s.elem, elem)
			v.SetMapIndex(it.Key(), elem)
		}
	case Struct, Tuple:
		for i := range s.members {
			if field, ok := fieldOf(v, s.members[i].index); ok {
				bigInts(s.members[i].shape, field)
			}
		}
	}
}

func small(v any) any {
	switch v := v.(type) {
	case big.Int:
		return v.Uint64()
	case []any:
		for i := range v {
			v[i] = small(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = small(v[k])
		}
	}
	return v
}
