package imaging

// paint writes a row of the difference image, NRGBA8: see [Compare].
func paint(dst []byte, left, right []pixel) {
	right = right[:len(left)]
	for i, p := range left {
		d := dst[4*i : 4*i+4 : 4*i+4]
		if sameLook(p, right[i]) {
			grey := faded(p)
			d[0], d[1], d[2], d[3] = grey, grey, grey, 255
		} else {
			d[0], d[1], d[2], d[3] = 230, 0, 50, 255
		}
	}
}

// faded is the pixel's luma over black in light grey, 191 to 255, in integers so
// that it is the same on every processor.
func faded(p pixel) byte {
	sum := 299*uint64(p.r) + 587*uint64(p.g) + 114*uint64(p.b) // at most 65535*1000
	luma := sum * uint64(p.a) / (1000 * level)
	return byte(191 + luma/4)
}
