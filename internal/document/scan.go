package document

import (
	"errors"
	"math"
	"unicode/utf8"
)

// A scanner checks a document against a shape, without allocating.
type scanner struct {
	rest   []byte
	memory int64 // that may still be taken
	big    bool  // an any has an integer beyond int64
}

func newScanner(data []byte) *scanner {
	return &scanner{rest: data, memory: max(minMemory, perByte*int64(len(data)))}
}

// document checks that the whole of the data is one value of that shape.
func (s *scanner) document(sh *shape) *fault {
	all := len(s.rest)
	f := s.value(sh, 0)
	if f == nil && len(s.rest) > 0 {
		f = faultf("%d bytes follow the end of the document, which is at %d", len(s.rest), all-len(s.rest))
	}
	return f
}

// head takes the head of the next item.
func (s *scanner) head() (h head, f *fault) {
	h = readHead(s.rest)
	if h.size == 0 {
		return h, &fault{err: errors.New(noHead(s.rest))}
	}
	s.rest = s.rest[h.size:]
	return h, nil
}

// count checks that a list or map of n items, of at least size bytes each, can
// follow.
func (s *scanner) count(n uint64, size, depth int) *fault {
	switch {
	case depth >= MaxDepth:
		return faultf("it is nested more than %d deep", MaxDepth)
	case n > uint64(len(s.rest)/size):
		return faultf("it ends too early: %d items do not fit in %d bytes", n, len(s.rest))
	}
	return nil
}

// take takes n bytes.
func (s *scanner) take(n uint64) ([]byte, *fault) {
	if n > uint64(len(s.rest)) {
		return nil, faultf("it ends too early: %d bytes should follow, and %d do", n, len(s.rest))
	}
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b, nil
}

func (s *scanner) text(n uint64) ([]byte, *fault) {
	b, f := s.take(n)
	if f == nil && !utf8.Valid(b) {
		f = &fault{err: errors.New("it is not valid UTF-8")}
	}
	return b, f
}

// value checks the next value.
func (s *scanner) value(sh *shape, depth int) *fault {
	if len(s.rest) > 0 && s.rest[0] == simpleNull {
		s.rest = s.rest[1:]
		return nil
	}
	switch sh.kind {
	case Any:
		if sh.opaque {
			before := len(s.rest)
			if f := s.skip(depth); f != nil {
				return f
			}
			return s.use(uint64(before-len(s.rest)), 1)
		}
		return s.any(depth)
	case Nullable:
		if f := s.use(1, uint64(sh.elem.typ.Size())); f != nil {
			return f
		}
		return s.value(sh.elem, depth)
	}
	h, f := s.head()
	if f != nil {
		return f
	}
	switch sh.kind {
	case List, Array, Tuple:
		if h.major == majorArray {
			return s.list(sh, h, depth)
		}
	case Map:
		if h.major == majorMap {
			return s.mapping(sh, h, depth)
		}
	case Struct:
		if h.major == majorMap {
			return s.structure(sh, h, depth)
		}
	case String, Text, Time:
		if h.major == majorText {
			_, f := s.text(h.n)
			if f == nil {
				f = s.use(h.n, 1)
			}
			return f
		}
	case Bytes:
		if h.major == majorBytes {
			return s.bytes(sh, h)
		}
	default:
		return scalar(sh, h)
	}
	return wrong(sh, h)
}

// scalar checks a bool or a number.
func scalar(sh *shape, h head) *fault {
	switch sh.kind {
	case Bool:
		if h.first == simpleFalse || h.first == simpleTrue {
			return nil
		}
	case Float:
		if h.major <= majorNint || h.first >= simpleFloat16 && h.first <= simpleFloat64 {
			return nil
		}
	case Int, Uint:
		bits := sh.typ.Bits()
		if sh.kind == Int {
			bits--
		}
		switch {
		case h.major == majorNint && sh.kind == Uint:
			return faultf("a negative integer stands where %s belongs", sh.words())
		case h.major > majorNint:
		case h.n > math.MaxUint64>>(64-bits):
			return faultf("an integer stands there that does not fit %s", sh.words())
		default:
			return nil
		}
	}
	return wrong(sh, h)
}

func (s *scanner) bytes(sh *shape, h head) *fault {
	if sh.length > 0 || sh.plain { // an array, of 0 bytes perhaps
		if h.n != uint64(sh.length) {
			return faultf("%d bytes stand where %d belong", h.n, sh.length)
		}
	}
	_, f := s.take(h.n)
	if f == nil {
		f = s.use(h.n, 1)
	}
	return f
}

// list checks the items of a List, Array or Tuple.
func (s *scanner) list(sh *shape, h head, depth int) *fault {
	length := uint64(sh.length)
	switch sh.kind {
	case Tuple:
		length = uint64(len(sh.members))
	case List:
		length = h.n
	}
	if h.n != length {
		return faultf("a list of %d stands where one of %d belongs", h.n, length)
	}
	f := s.count(h.n, 1, depth)
	if f == nil && sh.kind == List {
		f = s.use(h.n, uint64(sh.elem.typ.Size()))
	}
	if f == nil && sh.kind == Tuple {
		f = s.use(1, uint64(sh.pointees))
	}
	for i := 0; f == nil && i < int(h.n); i++ {
		if sh.kind == Tuple {
			f = s.member(&sh.members[i], depth+1)
		} else if f = s.value(sh.elem, depth+1); f != nil {
			f.at(i)
		}
	}
	return f
}

func (s *scanner) mapping(sh *shape, h head, depth int) *fault {
	f := s.count(h.n, 2, depth)
	if f == nil {
		f = s.use(1, mapBytes)
	}
	if f == nil {
		f = s.use(h.n, mapFactor*uint64(sh.key.typ.Size()+sh.elem.typ.Size()))
	}
	if f != nil {
		return f
	}
	for range h.n {
		key := s.rest
		if len(key) > 0 && key[0] == simpleNull {
			return faultf("null stands where a key belongs")
		}
		if f := s.value(sh.key, depth+1); f != nil {
			return f.below("[key]")
		}
		if f := s.value(sh.elem, depth+1); f != nil {
			return f.below(keyName(key))
		}
	}
	return nil
}

func (s *scanner) structure(sh *shape, h head, depth int) *fault {
	f := s.count(h.n, 2, depth)
	promoted := false
	for i := h.n; f == nil && i > 0; i-- {
		var m *member
		if m, f = s.name(sh); f != nil {
			return f
		}
		if m == nil {
			f = s.skip(depth + 1)
			continue
		}
		f = s.member(m, depth+1)
		if f == nil && m.promoted && !promoted {
			promoted = true
			f = s.use(1, uint64(sh.pointees))
		}
	}
	return f
}

// name takes a key of a struct, and returns its member, or nil if there is none.
func (s *scanner) name(sh *shape) (*member, *fault) {
	h, f := s.head()
	if f != nil {
		return nil, f
	}
	i, known := 0, false
	switch {
	case h.major == majorText:
		name, f := s.text(h.n)
		if f != nil {
			return nil, f
		}
		i, known = sh.byName[string(name)]
	case h.major > majorNint:
		return nil, faultf("%s stands where a field's name belongs", words(h))
	case h.n > math.MaxInt64:
		return nil, faultf("a key stands there that does not fit int64")
	case h.major == majorNint:
		i, known = sh.byNumber[^int64(h.n)]
	default:
		i, known = sh.byNumber[int64(h.n)]
	}
	if known {
		return &sh.members[i], nil
	}
	size := uint64(unknownBytes)
	if h.major == majorText {
		size += h.n
	}
	return nil, s.use(1, size)
}

func (s *scanner) member(m *member, depth int) *fault {
	if f := s.value(m.shape, depth); f != nil {
		return f.below(m.name)
	}
	return nil
}
