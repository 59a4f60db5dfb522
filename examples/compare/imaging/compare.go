package imaging

import (
	"fmt"
	"image"
	"math"
)

// Result is how two images differ.
type Result struct {
	// MSE is the mean over all pixels and the three colour channels of the
	// squared difference, in 8-bit levels squared: 0 to 255*255. Colours are
	// multiplied by their alpha first.
	//
	// It is ImageMagick 6's compare -metric MSE: that prints MSE*257/255, and
	// MSE/(255*255) in parentheses.
	MSE float64

	// PSNR is the peak signal-to-noise ratio in decibels,
	//
	//	10*log10(255*255/MSE)
	//
	// and +Inf if MSE is 0. It is what ImageMagick 6's compare -metric PSNR
	// prints, also for grey images (three equal channels), 16 bits a channel and
	// images with alpha. Only for images that are all but equal ImageMagick
	// stops counting, and this does not: from 110 dB on it prints 110, from
	// 120 dB on inf.
	PSNR float64

	// SSIM is the mean structural similarity index of the luma (ITU-R BT.601:
	// 0.299 R + 0.587 G + 0.114 B, of colours multiplied by their alpha, in
	// 8-bit levels, not rounded), 1 for equal images, below 1 down to -1 for
	// others. It is NaN if a side is shorter than the window, 11 pixels: the
	// index is not defined there.
	//
	// Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality
	// Assessment: From Error Visibility to Structural Similarity", IEEE
	// Transactions on Image Processing 13(4), 2004: an 11 by 11 Gaussian window
	// with a standard deviation of 1.5 pixels, K1 = 0.01, K2 = 0.03, L = 255,
	// and, as in the authors' ssim_index.m, the mean over the places where the
	// window lies wholly in the image, and no reduction of large images.
	SSIM float64

	// Differing is the number of pixels that look different over some
	// background: colour or alpha differs, and not both pixels are fully
	// transparent. With alpha it can be above 0 where MSE is 0: black that is
	// opaque differs from black that is not.
	Differing uint64

	// Box is the smallest rectangle around the differing pixels, empty if there
	// are none.
	Box image.Rectangle
}

// Equal reports whether no pixel differs.
func (r Result) Equal() bool { return r.Differing == 0 }

// Compare compares two images of the same size. Their formats may differ: 8-bit
// values are widened to 16 bits.
//
// If diff is not nil, a picture of the differences is written to it. It must
// have the size of the others and the format [NRGBA8], and share no memory with
// them. Pixels that differ become red, rgb(230, 0, 50); the others become the
// left image in light greys: its luma mapped to 191 to 255. All are opaque.
// Bytes between the rows are left alone.
//
// Exchanging left and right changes nothing but the picture, and the same pixels
// give the same result, up to the last bits of the figures on processors of
// different kinds. Compare uses one processor, and about 120 KiB of memory whatever
// the size of the images. It may be called concurrently.
//
// It is an error if a frame fails its [Frame.Check] or the sizes differ.
func Compare(left, right Frame, diff *Frame) (Result, error) {
	if err := check(left, right, diff); err != nil {
		return Result{}, err
	}
	c := comparison{left: left, right: right, diff: diff}
	for x := 0; x < left.Width; x += stripWidth {
		c.strip(x, min(stripWidth, left.Width-x))
	}
	return c.result(), nil
}

func check(left, right Frame, diff *Frame) error {
	if err := left.check("left image"); err != nil {
		return err
	}
	if err := right.check("right image"); err != nil {
		return err
	}
	if left.Width != right.Width || left.Height != right.Height {
		return fmt.Errorf("imaging: images differ in size: left %dx%d, right %dx%d",
			left.Width, left.Height, right.Width, right.Height)
	}
	if diff == nil {
		return nil
	}
	if err := diff.check("difference image"); err != nil {
		return err
	}
	if want := (Header{left.Width, left.Height, NRGBA8}); diff.Header() != want {
		return fmt.Errorf("imaging: difference image is %v, want %v", diff.Header(), want)
	}
	return nil
}

// stripWidth is how many columns are compared at a time. Strips bound the memory
// that the comparison of a very wide image takes, and keep it in the
// processor's cache.
const stripWidth = 256

// comparison gathers the figures, strip by strip.
type comparison struct {
	left, right Frame
	diff        *Frame

	squares    float64 // sum of squaredError
	differing  uint64
	box        image.Rectangle
	similarity float64 // sum of the index over the windows

	window   windows
	leftRow  [stripWidth + margin]pixel
	rightRow [stripWidth + margin]pixel
}

// strip compares n columns from x on. The windows that begin in those columns
// also need the margin to their right.
func (c *comparison) strip(x, n int) {
	reach := min(n+margin, c.left.Width-x)
	left, right := c.leftRow[:reach], c.rightRow[:reach]
	c.window.reset(reach)
	for y := range c.left.Height {
		unpack(left, c.left.row(x, y, reach), c.left.Format)
		unpack(right, c.right.row(x, y, reach), c.right.Format)
		c.count(x, y, left[:n], right[:n])
		if c.diff != nil {
			paint(c.diff.row(x, y, n), left[:n], right[:n])
		}
		if c.windowed() {
			c.similarity += c.window.add(left, right)
		}
	}
}

// count adds a row's share to squares, differing and box. x and y are the place
// of its first pixel.
func (c *comparison) count(x, y int, left, right []pixel) {
	first, last := -1, -1
	squares := 0.0
	right = right[:len(left)]
	for i, p := range left {
		q := right[i]
		if sameLook(p, q) {
			continue
		}
		squares += squaredError(p, q)
		if first < 0 {
			first = i
		}
		last = i
		c.differing++
	}
	c.squares += squares
	if first >= 0 {
		c.box = c.box.Union(image.Rect(x+first, y, x+last+1, y+1))
	}
}

// windowed reports whether a window fits into the image.
func (c *comparison) windowed() bool {
	return c.left.Width >= windowSize && c.left.Height >= windowSize
}

func (c *comparison) result() Result {
	width, height := float64(c.left.Width), float64(c.left.Height)
	r := Result{
		MSE:       c.squares / (level * level) / (3 * width * height),
		PSNR:      math.Inf(1),
		SSIM:      math.NaN(),
		Differing: c.differing,
		Box:       c.box,
	}
	if r.MSE > 0 {
		r.PSNR = 10 * math.Log10(255*255/r.MSE)
	}
	if c.windowed() {
		r.SSIM = c.similarity / ((width - margin) * (height - margin))
	}
	return r
}
