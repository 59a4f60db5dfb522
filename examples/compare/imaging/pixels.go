package imaging

import "encoding/binary"

// pixel is a pixel of any format, widened to 16 bits a channel: an 8-bit value v
// becomes v*257, so that 255 becomes 65535 and equal colours become equal.
type pixel struct{ r, g, b, a uint16 }

// level is the value of a full 16-bit channel multiplied by a full alpha, per
// 8-bit level: what turns such products into levels of 0 to 255.
const level = 65535 * 257

// unpack reads len(dst) pixels. It is the only reader of memory that somebody
// else may change; all that follows works on dst.
func unpack(dst []pixel, src []byte, format Format) {
	if format == NRGBA16 {
		for i := range dst {
			s := src[8*i : 8*i+8 : 8*i+8]
			dst[i] = pixel{
				binary.BigEndian.Uint16(s[0:]), binary.BigEndian.Uint16(s[2:]),
				binary.BigEndian.Uint16(s[4:]), binary.BigEndian.Uint16(s[6:]),
			}
		}
		return
	}
	for i := range dst {
		s := src[4*i : 4*i+4 : 4*i+4]
		dst[i] = pixel{uint16(s[0]) * 257, uint16(s[1]) * 257, uint16(s[2]) * 257, uint16(s[3]) * 257}
	}
}

// sameLook reports whether the pixels look the same over every background:
// alpha and colour agree, or both are fully transparent.
func sameLook(p, q pixel) bool {
	return p == q || p.a == 0 && q.a == 0
}

// squaredError is the sum over the three colour channels of the squared
// differences, each colour multiplied by its alpha, in units of level squared.
func squaredError(p, q pixel) float64 {
	pa, qa := int64(p.a), int64(q.a)
	r := float64(pa*int64(p.r) - qa*int64(q.r))
	g := float64(pa*int64(p.g) - qa*int64(q.g))
	b := float64(pa*int64(p.b) - qa*int64(q.b))
	return r*r + g*g + b*b
}

// luma writes each pixel's luma over black, 0 to 255, not rounded, with the
// weights of ITU-R BT.601.
func luma(dst []float64, src []pixel) {
	const red, green, blue = 0.299 / level, 0.587 / level, 0.114 / level
	src = src[:len(dst)]
	for i := range dst {
		p := src[i]
		a := int64(p.a)
		dst[i] = red*float64(a*int64(p.r)) + green*float64(a*int64(p.g)) + blue*float64(a*int64(p.b))
	}
}
