package imaging

import (
	"image"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// pixels8 is an NRGBA8 frame of the given pixels, row by row.
func pixels8(width int, pixels ...[4]byte) Frame {
	f := Frame{Width: width, Height: len(pixels) / width, Stride: 4 * width, Format: NRGBA8}
	for _, p := range pixels {
		f.Pix = append(f.Pix, p[:]...)
	}
	return f
}

func TestCompareByHand(t *testing.T) {
	black, white, red := [4]byte{0, 0, 0, 255}, [4]byte{255, 255, 255, 255}, [4]byte{255, 0, 0, 255}
	one16 := widened(pixels8(1, black))
	one16.Pix[3] = 1 // green, low byte
	for _, tt := range []struct {
		name        string
		left, right Frame
		mse, psnr   float64
		differing   uint64
		box         image.Rectangle
	}{
		{
			"equal", pixels8(2, red, white, black, red), pixels8(2, red, white, black, red),
			0, math.Inf(1), 0, image.Rectangle{},
		}, {
			"three and four levels", pixels8(1, [4]byte{10, 20, 30, 255}), pixels8(1, [4]byte{13, 16, 30, 255}),
			(9 + 16) / 3.0, 10 * math.Log10(65025*3/25.0), 1, image.Rect(0, 0, 1, 1),
		}, {
			"one of four black, not white", pixels8(2, white, white, white, white), pixels8(2, white, white, black, white),
			65025 / 4.0, 6.020599913279624, 1, image.Rect(0, 1, 1, 2),
		}, {
			"as far as can be", pixels8(2, black, white), pixels8(2, white, black),
			65025, 0, 2, image.Rect(0, 0, 2, 1),
		}, {
			"red against half of it", pixels8(1, red), pixels8(1, [4]byte{255, 0, 0, 51}), // alpha 1/5
			204 * 204 / 3.0, 10 * math.Log10(65025*3/(204.0*204)), 1, image.Rect(0, 0, 1, 1),
		}, {
			"colours that nobody sees", pixels8(1, [4]byte{1, 2, 3, 0}), pixels8(1, [4]byte{200, 100, 0, 0}),
			0, math.Inf(1), 0, image.Rectangle{},
		}, {
			"black, opaque and not", pixels8(1, black), pixels8(1, [4]byte{0, 0, 0, 100}),
			0, math.Inf(1), 1, image.Rect(0, 0, 1, 1),
		}, {
			"the last of sixteen bits", one16, widened(pixels8(1, black)),
			1 / (257.0 * 257 * 3), 10 * math.Log10(65535*65535*3), 1, image.Rect(0, 0, 1, 1),
		}, {
			"8 bits and the same in 16", pixels8(2, red, white), widened(pixels8(2, red, white)),
			0, math.Inf(1), 0, image.Rectangle{},
		}, {
			"corners", pixels8(3, black, white, white, white, white, white, white, white, white),
			pixels8(3, white, white, white, white, white, white, white, white, black),
			65025 * 2 / 9.0, 10 * math.Log10(4.5), 2, image.Rect(0, 0, 3, 3),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Compare(tt.left, tt.right, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !near(got.MSE, tt.mse, 1e-9) || !near(got.PSNR, tt.psnr, 1e-9) {
				t.Errorf("MSE %v, PSNR %v; want %v, %v", got.MSE, got.PSNR, tt.mse, tt.psnr)
			}
			if got.Differing != tt.differing || got.Box != tt.box || got.Equal() != (tt.differing == 0) {
				t.Errorf("%d differ in %v; want %d in %v", got.Differing, got.Box, tt.differing, tt.box)
			}
			if !math.IsNaN(got.SSIM) {
				t.Errorf("SSIM %v of an image smaller than the window", got.SSIM)
			}
		})
	}
}

func near(got, want, within float64) bool {
	return got == want || math.Abs(got-want) <= within
}

func TestCompareErrors(t *testing.T) {
	left, right := mustSample(t, 640, 480, 0), mustSample(t, 641, 480, 0)
	if _, err := Compare(left, right, nil); !matches(err, "images differ in size: left 640x480, right 641x480") {
		t.Error(err)
	}
	if _, err := Compare(left, left, &right); !matches(err, "difference image is 641x480 NRGBA8, want 640x480 NRGBA8") {
		t.Error(err)
	}
	wide := widened(left)
	if _, err := Compare(left, left, &wide); !matches(err, "difference image is 640x480 NRGBA16") {
		t.Error(err)
	}
	for text, frames := range map[string][3]Frame{
		"left image: ":               {{Width: 9, Height: 9, Stride: 36, Format: NRGBA8}, left, left},
		"right image of 0x0 pixels":  {left, {Format: NRGBA8}, left},
		"difference image has the u": {left, left, {}},
	} {
		if _, err := Compare(frames[0], frames[1], &frames[2]); !matches(err, text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}

func TestDifferencePicture(t *testing.T) {
	left := pixels8(2, [4]byte{255, 255, 255, 255}, [4]byte{9, 9, 9, 255}, [4]byte{}, [4]byte{255, 0, 0, 255})
	right := pixels8(2, [4]byte{255, 255, 255, 255}, [4]byte{9, 9, 8, 255}, [4]byte{1, 1, 1, 0}, [4]byte{255, 0, 0, 255})
	diff := Frame{Width: 2, Height: 2, Stride: 9, Format: NRGBA8, Pix: make([]byte, 18)}
	if _, err := Compare(left, right, &diff); err != nil {
		t.Fatal(err)
	}
	want := []byte{
		254, 254, 254, 255, 230, 0, 50, 255, 0, // 255/4 is 63; the last byte is no pixel's
		191, 191, 191, 255, 210, 210, 210, 255, 0, // 0.299*255 is 76, 76/4 is 19
	}
	if d := cmp.Diff(want, diff.Pix); d != "" {
		t.Error(d)
	}
}

// anyFrame draws a frame of the given size with any bytes, any format and gaps
// between its rows.
func anyFrame(t *rapid.T, width, height int) Frame {
	f := Frame{Width: width, Height: height, Format: rapid.SampledFrom([]Format{NRGBA8, NRGBA16}).Draw(t, "format")}
	row := width * f.Format.PixelBytes()
	f.Stride = row + rapid.IntRange(0, 9).Draw(t, "gap")
	f.Pix = make([]byte, f.Stride*(height-1)+row)
	// Whole images of drawn bytes are slow to draw, so a few are repeated.
	pattern := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "bytes")
	for i := range f.Pix {
		f.Pix[i] = pattern[i%len(pattern)]
	}
	return f
}

// anyPair draws two frames of one size; the second is often nearly the first.
func anyPair(t *rapid.T) (left, right Frame) {
	width, height := rapid.IntRange(1, 30).Draw(t, "width"), rapid.IntRange(1, 30).Draw(t, "height")
	if rapid.IntRange(0, 9).Draw(t, "wide") == 0 {
		width += stripWidth - 15 // about where a strip ends
	}
	left = anyFrame(t, width, height)
	if rapid.Bool().Draw(t, "unlike") {
		return left, anyFrame(t, width, height)
	}
	right = left
	right.Pix = append([]byte(nil), left.Pix...)
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		right.Pix[rapid.IntRange(0, len(right.Pix)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	}
	return left, right
}

func TestCompareIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		left, right := anyPair(t)
		there, err := Compare(left, right, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Compare(right, left, nil)
		if err != nil {
			t.Fatal(err)
		}
		same := cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
		if d := cmp.Diff(there, back, same); d != "" {
			t.Fatal(d)
		}
	})
}

func TestCompareWithItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, _ := anyPair(t)
		r, err := Compare(f, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		small := f.Width < windowSize || f.Height < windowSize
		if r.MSE != 0 || !math.IsInf(r.PSNR, 1) || !r.Equal() || !r.Box.Empty() || (!small && r.SSIM != 1) || small != math.IsNaN(r.SSIM) {
			t.Fatalf("%+v", r)
		}
	})
}

// at is a pixel of a frame, read the plain way, 0 to 1, colour multiplied by
// alpha.
func at(f Frame, x, y int) (c [4]float64) {
	for i := range c {
		if f.Format == NRGBA8 {
			c[i] = float64(f.Pix[y*f.Stride+4*x+i]) / 255
		} else {
			p := f.Pix[y*f.Stride+8*x+2*i:]
			c[i] = float64(int(p[0])<<8|int(p[1])) / 65535
		}
	}
	for i := range 3 {
		c[i] *= c[3]
	}
	return c
}

func TestCompareAgainstPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		left, right := anyPair(t)
		diff, err := Header{left.Width, left.Height, NRGBA8}.Frame(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Compare(left, right, &diff)
		if err != nil {
			t.Fatal(err)
		}
		var want Result
		for y := range left.Height {
			for x := range left.Width {
				p, q := at(left, x, y), at(right, x, y)
				for i := range 3 {
					want.MSE += (p[i] - q[i]) * (p[i] - q[i])
				}
				red := diff.Pix[y*diff.Stride+4*x+1] == 0
				if p != q {
					want.Differing++
					want.Box = want.Box.Union(image.Rect(x, y, x+1, y+1))
				}
				if red != (p != q) {
					t.Fatalf("pixel %d, %d: %v and %v, painted red: %v", x, y, p, q, red)
				}
			}
		}
		want.MSE *= 255 * 255 / float64(3*left.Width*left.Height)
		if !near(got.MSE, want.MSE, 1e-9*(1+want.MSE)) || got.Differing != want.Differing || got.Box != want.Box {
			t.Fatalf("%+v\nwant %+v", got, want)
		}
	})
}
