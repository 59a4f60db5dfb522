package jsonview

import (
	"encoding/binary"
	"math"

	"github.com/fxamacker/cbor/v2"

	"github.com/partywall/partywall/internal/document"
)

// The major types of CBOR (RFC 8949, section 3.1).
const (
	majorUint  = 0
	majorNint  = 1
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorMap   = 5
)

// What else there is (RFC 8949, section 3.3), by the first byte of an item.
const (
	simpleFalse   = 0xf4
	simpleTrue    = 0xf5
	simpleNull    = 0xf6
	simpleFloat16 = 0xf9
	simpleFloat32 = 0xfa
	simpleFloat64 = 0xfb
)

// scalars encodes what is no array or map, as package document does.
var scalars = must(func() (cbor.UserBufferEncMode, error) {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeRFC3339Nano
	return o.UserBufferEncMode()
}())

// forms is what a document may consist of: there are no tags, no lengths that are
// left open, and no simple values but false, true and null.
var forms = must(func() (cbor.DecMode, error) {
	var others []func(*cbor.SimpleValueRegistry) error
	for v := range 256 {
		if (v < simpleFalse&31 || v > simpleNull&31) && (v < 24 || v > 31) {
			others = append(others, cbor.WithRejectedSimpleValue(cbor.SimpleValue(v)))
		}
	}
	simple, err := cbor.NewSimpleValueRegistryFromDefaults(others...)
	if err != nil {
		return nil, err
	}
	return cbor.DecOptions{
		MaxNestedLevels:  document.MaxDepth,
		MaxArrayElements: math.MaxInt32,
		MaxMapPairs:      math.MaxInt32,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		SimpleValues:     simple,
	}.DecMode()
}())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // only constants lead here
	}
	return v
}

// appendHead appends the shortest head of an array or map, which in a document has
// fewer than 1<<32 items.
func appendHead(b []byte, major byte, n uint32) []byte {
	be, kind := binary.BigEndian, major<<5
	switch {
	case n < 24:
		return append(b, kind|byte(n))
	case n < 1<<8:
		return append(b, kind|24, byte(n))
	case n < 1<<16:
		return be.AppendUint16(append(b, kind|25), uint16(n))
	}
	return be.AppendUint32(append(b, kind|26), n)
}

// A head is the beginning of an item.
type head struct {
	major byte
	first byte   // major type included
	n     uint64 // the integer, the bits of the float, or how much follows
}

// A scanner goes through a document that is well formed, by forms.
type scanner struct {
	doc []byte
	at  int
}

func (s *scanner) head() head {
	first := s.doc[s.at]
	h := head{major: first >> 5, first: first}
	s.at++
	rest, be := s.doc[s.at:], binary.BigEndian
	switch info := first & 31; info {
	case 24:
		h.n = uint64(rest[0])
		s.at++
	case 25:
		h.n = uint64(be.Uint16(rest))
		s.at += 2
	case 26:
		h.n = uint64(be.Uint32(rest))
		s.at += 4
	case 27:
		h.n = be.Uint64(rest)
		s.at += 8
	default:
		h.n = uint64(info)
	}
	return h
}

// content returns the bytes that follow the head of bytes or a text.
func (s *scanner) content(h head) []byte {
	start := s.at
	s.at += int(h.n)
	return s.doc[start:s.at]
}

// null skips a null, if that is next.
func (s *scanner) null() bool {
	if s.doc[s.at] != simpleNull {
		return false
	}
	s.at++
	return true
}

// skip skips an item.
func (s *scanner) skip() {
	h := s.head()
	switch h.major {
	case majorBytes, majorText:
		s.content(h)
	case majorArray, majorMap:
		items := int(h.n)
		if h.major == majorMap {
			items *= 2
		}
		for range items {
			s.skip()
		}
	}
}

// describe says what an item is that begins like that.
func (h head) describe() string {
	switch h.major {
	case majorUint, majorNint:
		return "an integer"
	case majorBytes:
		return "bytes"
	case majorText:
		return "a text"
	case majorArray:
		return "an array"
	case majorMap:
		return "a map"
	}
	switch h.first {
	case simpleFalse, simpleTrue:
		return "a bool"
	case simpleNull:
		return "null"
	}
	return "a float"
}
