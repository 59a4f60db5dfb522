package document

import "encoding/binary"

// The major types of CBOR, RFC 8949 section 3.1.
const (
	majorUint   = 0
	majorNint   = 1
	majorBytes  = 2
	majorText   = 3
	majorArray  = 4
	majorMap    = 5
	majorTag    = 6
	majorSimple = 7
)

// What majorSimple has, with the additional information.
const (
	simpleFalse     = 0xf4
	simpleTrue      = 0xf5
	simpleNull      = 0xf6
	simpleUndefined = 0xf7
	simpleFloat16   = 0xf9
	simpleFloat64   = 0xfb
)

// A head is the beginning of a data item: its major type, and its value or length.
type head struct {
	major byte
	first byte // as it stands there, major type included
	n     uint64
	size  int // bytes of the head; 0 if there is no head
}

// readHead reads the head at the start of b. Its size is 0 if b is too short, if
// the length is indefinite, or if it is none that RFC 8949 has.
func readHead(b []byte) head {
	if len(b) == 0 {
		return head{}
	}
	h := head{major: b[0] >> 5, first: b[0], size: 1}
	switch info := b[0] & 31; {
	case info < 24:
		h.n = uint64(info)
	case info > 27 || len(b) < 1+1<<(info-24):
		h.size = 0
	case info == 24:
		h.n, h.size = uint64(b[1]), 2
	case info == 25:
		h.n, h.size = uint64(binary.BigEndian.Uint16(b[1:])), 3
	case info == 26:
		h.n, h.size = uint64(binary.BigEndian.Uint32(b[1:])), 5
	default:
		h.n, h.size = binary.BigEndian.Uint64(b[1:]), 9
	}
	return h
}

// noHead says why readHead found none at the start of b.
func noHead(b []byte) string {
	switch {
	case len(b) == 0 || b[0]&31 < 28:
		return "it ends too early"
	case b[0]&31 == 31:
		return "it has an indefinite length, or the end of one"
	}
	return "no item begins with that byte"
}

// headSize is the bytes of the shortest head with that number.
func headSize(n uint64) int {
	switch {
	case n < 24:
		return 1
	case n < 1<<8:
		return 2
	case n < 1<<16:
		return 3
	case n < 1<<32:
		return 5
	}
	return 9
}

// appendHead appends the shortest head.
func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch headSize(n) {
	case 1:
		return append(b, major|byte(n))
	case 2:
		return append(b, major|24, byte(n))
	case 3:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case 5:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}
