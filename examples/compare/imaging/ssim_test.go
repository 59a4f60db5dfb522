package imaging

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// plainSSIM is the paper's formula word by word: for every place of the window
// the weighted means, variances and covariance (14), (15), (16), then (13), then
// the mean (17).
func plainSSIM(left, right Frame) float64 {
	var weight [11][11]float64
	total := 0.0
	for j := range weight {
		for i := range weight[j] {
			dx, dy := float64(i-5), float64(j-5)
			weight[j][i] = math.Exp(-(dx*dx + dy*dy) / (2 * 1.5 * 1.5))
			total += weight[j][i]
		}
	}
	lumaAt := func(f Frame, x, y int) float64 {
		c := at(f, x, y)
		return 255 * (0.299*c[0] + 0.587*c[1] + 0.114*c[2])
	}
	// each calls visit with the weight and the lumas of a window's pixels.
	each := func(x0, y0 int, visit func(w, x, y float64)) {
		for j := range weight {
			for i := range weight[j] {
				visit(weight[j][i]/total, lumaAt(left, x0+i, y0+j), lumaAt(right, x0+i, y0+j))
			}
		}
	}
	const c1, c2 = (0.01 * 255) * (0.01 * 255), (0.03 * 255) * (0.03 * 255)
	sum, places := 0.0, 0
	for y0 := 0; y0+11 <= left.Height; y0++ {
		for x0 := 0; x0+11 <= left.Width; x0++ {
			var mx, my, vx, vy, cov float64
			each(x0, y0, func(w, x, y float64) { mx += w * x; my += w * y })
			each(x0, y0, func(w, x, y float64) {
				vx += w * (x - mx) * (x - mx)
				vy += w * (y - my) * (y - my)
				cov += w * (x - mx) * (y - my)
			})
			sum += (2*mx*my + c1) * (2*cov + c2) / ((mx*mx + my*my + c1) * (vx + vy + c2))
			places++
		}
	}
	return sum / float64(places)
}

func TestSSIMAgainstPlain(t *testing.T) {
	worst := 0.0
	for _, size := range [][2]int{{11, 11}, {12, 11}, {11, 40}, {64, 48}, {stripWidth, 12}, {stripWidth + 1, 12}, {stripWidth + 10, 12}, {stripWidth + 11, 13}, {2*stripWidth + 30, 14}} {
		left, right := mustSample(t, size[0], size[1], 0), mustSample(t, size[0], size[1], 5)
		got, err := Compare(left, right, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := plainSSIM(left, right)
		worst = max(worst, math.Abs(got.SSIM-want))
		if !near(got.SSIM, want, 1e-9) {
			t.Errorf("%v: %v, want %v", size, got.SSIM, want)
		}
	}
	t.Logf("largest difference %.1e", worst)
}

func TestSSIMAgainstPlainAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(11, 24).Draw(t, "width"), rapid.IntRange(11, 24).Draw(t, "height")
		left, right := anyFrame(t, width, height), anyFrame(t, width, height)
		got, err := Compare(left, right, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := plainSSIM(left, right); !near(got.SSIM, want, 1e-9) {
			t.Fatalf("%v, want %v", got.SSIM, want)
		}
		if got.SSIM > 1 || got.SSIM < -1 {
			t.Fatal(got.SSIM)
		}
	})
}

// flat is a grey image without any structure, of which the index is known: its
// second factor is 1.
func flat(width, height int, grey byte) Frame {
	f, _ := Header{width, height, NRGBA8}.Frame(nil)
	for i := range f.Pix {
		f.Pix[i] = grey
		if i%4 == 3 {
			f.Pix[i] = 255
		}
	}
	return f
}

func TestSSIMOfFlatImages(t *testing.T) {
	for _, greys := range [][2]byte{{100, 150}, {0, 255}, {255, 255}, {0, 0}, {1, 2}} {
		a, b := float64(greys[0]), float64(greys[1])
		want := (2*a*b + 6.5025) / (a*a + b*b + 6.5025)
		got, err := Compare(flat(20, 15, greys[0]), flat(20, 15, greys[1]), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.SSIM, want, 1e-9) {
			t.Errorf("%v: %v, want %v", greys, got.SSIM, want)
		}
	}
}

func TestSSIMNeedsAWindow(t *testing.T) {
	for _, size := range [][2]int{{10, 11}, {11, 10}, {1, 1000}, {1000, 1}} {
		f := flat(size[0], size[1], 7)
		if r, err := Compare(f, f, nil); err != nil || !math.IsNaN(r.SSIM) {
			t.Errorf("%v: %v, %v", size, r.SSIM, err)
		}
	}
}
