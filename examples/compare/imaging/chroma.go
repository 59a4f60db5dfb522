package imaging

import "image"

// storeYCbCr writes a decoded JPEG, which begins at 0, 0, to an NRGBA8 frame of
// its size, with the colours that libjpeg-turbo would give it by default.
//
// The JPEG standard leaves open how chroma stored at a lower resolution is
// enlarged, see [chroma], and how a colour is rounded, see [toRGB].
func storeYCbCr(frame Frame, p *image.YCbCr) {
	cb := newChroma(p, p.Cb)
	cr := newChroma(p, p.Cr)
	for y := range frame.Height {
		luma := p.Y[y*p.YStride:][:frame.Width]
		toRGB(frame.row(0, y, frame.Width), luma, cb.row(y), cr.row(y))
	}
}

// chroma enlarges a plane of chroma samples to the image's size, row by row.
//
// Chroma at half the resolution of luma, in one direction or both, lies in the
// middle between the pixels it is for: the middle of a pixel is a quarter of a
// sample away from that of the nearest sample, and three quarters from that of
// the next one. A pixel's chroma is the mean of the two with the weights 3/4 and
// 1/4, and in both directions the mean of such means, with the weights 9/16,
// 3/16, 3/16 and 1/16. This is what libjpeg calls fancy upsampling. A mean that
// lies half-way is rounded up and down in turn, from column to column, or from row
// to row if only rows are missing, so that the image drifts to neither side.
//
// At the image's edge, where there is no next sample, the nearest one takes its
// place. What a JPEG stores beyond the edge, to fill its last blocks, is not used.
//
// Samples are repeated, as in libjpeg, if the resolution is a quarter, or if it is
// half horizontally and rows are no longer than two samples.
type chroma struct {
	pix           []byte
	stride        int
	columns, rows int // how many samples there are
	wide, high    int // how many pixels a sample is for
	smooth        bool

	line []byte // a row enlarged, up to wide-1 pixels longer than the image's

	// A row of samples, or four times the means of two rows, from index 1 on.
	// Before and behind them widen repeats the first and the last.
	sums []uint16
}

func newChroma(p *image.YCbCr, pix []byte) *chroma {
	c := &chroma{pix: pix, stride: p.CStride}
	switch p.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		c.wide, c.high = 2, 1
	case image.YCbCrSubsampleRatio420:
		c.wide, c.high = 2, 2
	case image.YCbCrSubsampleRatio440:
		c.wide, c.high = 1, 2
	case image.YCbCrSubsampleRatio411:
		c.wide, c.high = 4, 1
	case image.YCbCrSubsampleRatio410:
		c.wide, c.high = 4, 2
	default: // 4:4:4
		c.wide, c.high = 1, 1
	}
	c.columns = (p.Rect.Dx() + c.wide - 1) / c.wide
	c.rows = (p.Rect.Dy() + c.high - 1) / c.high
	c.smooth = c.wide == 1 && c.high == 2 || c.wide == 2 && c.columns > 2
	c.line = make([]byte, c.columns*c.wide)
	c.sums = make([]uint16, c.columns+2)
	return c
}

// row is the chroma of at least the pixels of row y. It is valid until the next
// call.
func (c *chroma) row(y int) []byte {
	nearest := c.samples(y / c.high)
	switch {
	case c.smooth && c.high == 1:
		for i, v := range nearest {
			c.sums[i+1] = uint16(v)
		}
		c.widen(1, 2, 2)
	case c.smooth:
		next := c.samples(y/2 - 1 + y%2*2)
		for i, v := range nearest {
			c.sums[i+1] = 3*uint16(v) + uint16(next[i])
		}
		if c.wide == 2 {
			c.widen(8, 7, 4)
			break
		}
		half := uint16(1 + y%2)
		for i := range c.line {
			c.line[i] = byte((c.sums[i+1] + half) >> 2)
		}
	case c.wide == 1:
		return nearest
	default:
		for i := range c.line {
			c.line[i] = nearest[i/c.wide]
		}
	}
	return c.line
}

// samples is a row of samples; rows outside the image are like those at its edge.
func (c *chroma) samples(row int) []byte {
	row = min(max(row, 0), c.rows-1)
	return c.pix[row*c.stride:][:c.columns]
}

// widen makes two pixels of each of the sums. left and right, which decide how
// the left and the right one are rounded, are added to 1<<shift times the mean
// before it is divided.
func (c *chroma) widen(left, right uint16, shift int) {
	sums := c.sums
	sums[0], sums[c.columns+1] = sums[1], sums[c.columns]
	last, this := sums[0], sums[1]
	line := c.line
	for _, next := range sums[2:] {
		line[0] = byte((3*this + last + left) >> (shift & 15))
		line[1] = byte((3*this + next + right) >> (shift & 15))
		line = line[2:]
		last, this = this, next
	}
}

// toRGB converts a row of pixels as ITU-T T.871 (JFIF) says,
//
//	R = Y + 1.402 (Cr-128)
//	G = Y - 0.34414 (Cb-128) - 0.71414 (Cr-128)
//	B = Y + 1.772 (Cb-128)
//
// with the factors rounded to 65536ths, as libjpeg has them. cb and cr may be
// longer than luma.
func toRGB(dst, luma, cb, cr []byte) {
	cb, cr, dst = cb[:len(luma)], cr[:len(luma)], dst[:4*len(luma)]
	for i, y := range luma {
		// One half is added so that the shift rounds to the nearest.
		l := int32(y)<<16 + 1<<15
		b, r := int32(cb[i])-128, int32(cr[i])-128
		p := dst[4*i : 4*i+4 : 4*i+4]
		p[0] = clamp((l + 91881*r) >> 16)
		p[1] = clamp((l - 22554*b - 46802*r) >> 16)
		p[2] = clamp((l + 116130*b) >> 16)
		p[3] = 255
	}
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
