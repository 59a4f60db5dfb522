package fixed

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/partywall/partywall"
)

// The canonical encoding, with numbers in little-endian order:
//
//	bytes  header
//	4      "pws" and the version of the encoding, 1
//	4      Size
//	4      Align
//	4      the number of fields
//
//	bytes  each field, in offset order
//	4      Offset
//	4      Count
//	1      Kind
//	2      the length n of the path
//	n      Path
//
// A field's Size follows from its Kind. Two schemas have the same encoding if
// and only if they are equal.
const (
	headerBytes = 16
	fieldBytes  = 11
)

var magic = [4]byte{'p', 'w', 's', 1}

// AppendBinary appends the canonical encoding to b. It fails if s is not well
// formed. It implements [encoding.BinaryAppender].
func (s *Schema) AppendBinary(b []byte) ([]byte, error) {
	if err := s.check(); err != nil {
		return b, fmt.Errorf("fixed: schema to encode: %w", err)
	}
	if n := s.encodedBytes(); n > MaxSchema {
		return b, fmt.Errorf("fixed: schema to encode: it takes %d bytes, more than %d", n, MaxSchema)
	}
	return s.encode(b), nil
}

// MarshalBinary returns the canonical encoding, at most [MaxSchema] bytes. It
// fails if s is not well formed. It implements [encoding.BinaryMarshaler].
func (s *Schema) MarshalBinary() ([]byte, error) {
	return s.AppendBinary(nil)
}

// Hash returns the first 8 bytes, in big-endian order, of the SHA-256 of the
// canonical encoding with 0 for Align. Two well-formed schemas that [Match]
// have the same hash, and two that do not match have different ones but for a
// collision, which a hostile peer may produce: compare hashes to save work,
// schemas to be sure.
func (s *Schema) Hash() uint64 {
	b := s.encode(nil)
	clear(b[8:12])
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

func (s *Schema) encodedBytes() int {
	n := headerBytes
	for i := range s.Fields {
		n += fieldBytes + len(s.Fields[i].Path)
	}
	return n
}

func (s *Schema) encode(b []byte) []byte {
	le := binary.LittleEndian
	if b == nil {
		b = make([]byte, 0, s.encodedBytes())
	}
	b = append(b, magic[:]...)
	b = le.AppendUint32(b, s.Size)
	b = le.AppendUint32(b, s.Align)
	b = le.AppendUint32(b, uint32(len(s.Fields)))
	for i := range s.Fields {
		f := &s.Fields[i]
		b = le.AppendUint32(b, f.Offset)
		b = le.AppendUint32(b, f.Count)
		b = append(b, byte(f.Kind))
		b = le.AppendUint16(b, uint16(len(f.Path)))
		b = append(b, f.Path...)
	}
	return b
}

var errShort = errors.New("it ends too early")

// ParseSchema reads a canonical encoding that another process wrote. The
// schema it returns is well formed, shares no memory with b, and encodes to the
// same bytes again. Anything else is an error that wraps
// [partywall.ErrProtocol]. What it allocates is at most 16 times len(b), and an
// error's text; len(b) may be at most [MaxSchema].
//
// b must not change meanwhile: copy it out of shared memory first.
func ParseSchema(b []byte) (*Schema, error) {
	s, err := parse(b)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: schema: %w", partywall.ErrProtocol, err)
	}
	return s, nil
}

// parse reads the form of an encoding; what stands in it is left to check.
func parse(b []byte) (*Schema, error) {
	switch {
	case len(b) > MaxSchema:
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(b), MaxSchema)
	case len(b) < headerBytes:
		return nil, errShort
	case !bytes.Equal(b[:4], magic[:]):
		return nil, fmt.Errorf("it begins with %x, not %x", b[:4], magic)
	}
	le := binary.LittleEndian
	s := &Schema{Size: le.Uint32(b[4:]), Align: le.Uint32(b[8:])}
	n := le.Uint32(b[12:])
	b = b[headerBytes:]
	if n > MaxFields || int(n) > len(b)/fieldBytes {
		return nil, fmt.Errorf("%d fields do not fit in %d bytes, or are more than %d", n, len(b), MaxFields)
	}
	if n > 0 {
		s.Fields = make([]Field, n)
	}
	text := string(b) // one copy, of which every path is a part
	for i := range s.Fields {
		if len(text) < fieldBytes {
			return nil, errShort
		}
		rec := b[len(b)-len(text):]
		kind, length := Kind(rec[8]), int(le.Uint16(rec[9:]))
		text = text[fieldBytes:]
		if len(text) < length {
			return nil, errShort
		}
		s.Fields[i] = Field{
			Path:   text[:length],
			Kind:   kind,
			Offset: le.Uint32(rec),
			Size:   kind.Size(),
			Count:  le.Uint32(rec[4:]),
		}
		text = text[length:]
	}
	if len(text) > 0 {
		return nil, fmt.Errorf("%d bytes follow its end", len(text))
	}
	return s, nil
}
