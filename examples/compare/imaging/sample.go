package imaging

// Sample draws a picture of the given size into the beginning of pix, or into new
// memory if pix is nil: a gradient with a frame, a bar and a disc, NRGBA8. It is
// for demonstrations that have no files at hand.
//
// Variant 0 is the clean picture. In every other variant the disc lies further to
// the right and about one pixel in sixteen is off by up to eight levels, which
// ones being a function of the variant. The same arguments give the same bytes
// everywhere.
//
// The errors are those of [Header.Frame].
func Sample(pix []byte, width, height, variant int) (Frame, error) {
	frame, err := Header{Width: width, Height: height, Format: NRGBA8}.Frame(pix)
	if err != nil {
		return Frame{}, err
	}
	s := scene{width: width, height: height, disc: width / 3}
	if variant != 0 {
		s.disc += max(1, width/32)
	}
	for y := range height {
		row := frame.row(0, y, width)
		for x := range width {
			r, g, b := s.colour(x, y)
			if variant != 0 {
				r, g, b = noisy(r, g, b, uint64(variant), uint64(y)*uint64(width)+uint64(x))
			}
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = r, g, b, 255
		}
	}
	return frame, nil
}

// scene is the picture's geometry. It is integer arithmetic throughout.
type scene struct {
	width, height int
	disc          int // column of the disc's middle
}

func (s scene) colour(x, y int) (r, g, b byte) {
	side := min(s.width, s.height)
	dx, dy := int64(x-s.disc), int64(y-s.height/2)
	radius := int64(side / 5)
	border := side / 40
	switch {
	case x < border || y < border || x >= s.width-border || y >= s.height-border:
		return 30, 30, 40
	case dx*dx+dy*dy < radius*radius:
		return 240, 190, 40
	case x > s.width-s.width/3 && x < s.width-s.width/4 && y > s.height/4 && y < s.height-s.height/4:
		return 40, 90, 160
	}
	across := byte(int64(x) * 255 / int64(s.width))
	down := byte(int64(y) * 255 / int64(s.height))
	return across, down, 255 - across/2 - down/2
}

// noisy changes about one pixel in sixteen. Which, and by how much, comes from
// mixing the seed and the pixel's number as SplitMix64 does (Steele, Lea, Flood:
// "Fast Splittable Pseudorandom Number Generators", 2014).
func noisy(r, g, b byte, seed, number uint64) (byte, byte, byte) {
	z := seed*0x9e3779b97f4a7c15 + number
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	if z&15 != 0 {
		return r, g, b
	}
	shift := func(v byte, bits uint64) byte {
		return byte(min(max(int(v)+int(bits%17)-8, 0), 255))
	}
	return shift(r, z>>8), shift(g, z>>24), shift(b, z>>40)
}
