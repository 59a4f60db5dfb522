package imaging

import "math"

// The constants of the paper; see [Result.SSIM].
const (
	windowSize  = 11
	windowSigma = 1.5
	margin      = windowSize - 1 // how much shorter a row of windows is than a row of pixels

	c1 = (0.01 * 255) * (0.01 * 255)
	c2 = (0.03 * 255) * (0.03 * 255)
)

// gaussian is the window along one axis: the weights of the outermost taps, the
// next ones, and so on to the middle one. The two-dimensional window is the product
// of two of these, so that it can be applied to rows and then to columns.
var gaussian = func() (g [windowSize/2 + 1]float64) {
	sum := 0.0
	for i := range g {
		d := float64(i - windowSize/2)
		g[i] = math.Exp(-d * d / (2 * windowSigma * windowSigma))
		sum += 2 * g[i]
	}
	sum -= g[windowSize/2] // the middle one stands for itself only
	for i := range g {
		g[i] /= sum
	}
	return g
}()

// windows slides the window over a strip of two images, a row of pixels at a
// time.
//
// The index needs weighted means of x, y, x*x, y*y and x*y, where x and y are the
// lumas; of the squares it needs only the sum. So there are four planes. Each row is
// filtered along the row when it arrives and kept until eleven of them have been
// filtered down the column.
type windows struct {
	width int // pixels in a row
	rows  int // rows added since reset
	in    [planes][stripWidth + margin]float64
	kept  [planes][windowSize][stripWidth]float64 // row i of the strip at i%windowSize
	mean  [planes][stripWidth]float64
}

const (
	planeX       = iota // x
	planeY              // y
	planeSquares        // x*x + y*y
	planeProduct        // x*y
	planes
)

// reset begins a strip of that many columns of pixels.
func (w *windows) reset(width int) { w.width, w.rows = width, 0 }

// add adds a row of pixels and returns the sum of the index over the windows that
// end in this row: none in the first rows, or if the strip is narrower than a
// window.
func (w *windows) add(left, right []pixel) float64 {
	n := w.width - margin
	if n <= 0 {
		return 0
	}
	x, y := w.in[planeX][:w.width], w.in[planeY][:w.width]
	luma(x, left)
	luma(y, right)
	squares, product := w.in[planeSquares][:w.width], w.in[planeProduct][:w.width]
	for i := range squares {
		a, b := x[i], y[i]
		squares[i] = float64(a*a) + float64(b*b)
		product[i] = a * b
	}
	slot := w.rows % windowSize
	w.rows++
	for p := range planes {
		filterRow(w.kept[p][slot][:n], w.in[p][:w.width])
	}
	if w.rows < windowSize {
		return 0
	}
	oldest := w.rows % windowSize
	for p := range planes {
		filterColumns(w.mean[p][:n], &w.kept[p], oldest)
	}
	return w.index(n)
}

// filterRow weighs src along the row. src is longer than dst by margin.
func filterRow(dst, src []float64) {
	g := gaussian
	for i := range dst {
		s := src[i : i+windowSize : i+windowSize]
		dst[i] = g[0]*(s[0]+s[10]) + g[1]*(s[1]+s[9]) + g[2]*(s[2]+s[8]) +
			g[3]*(s[3]+s[7]) + g[4]*(s[4]+s[6]) + g[5]*s[5]
	}
}

// filterColumns weighs the kept rows down the columns, the oldest row first.
func filterColumns(dst []float64, kept *[windowSize][stripWidth]float64, oldest int) {
	g := gaussian
	row := func(age int) []float64 { return kept[(oldest+age)%windowSize][:len(dst)] }
	s0, s1, s2, s3, s4, s5 := row(0), row(1), row(2), row(3), row(4), row(5)
	s6, s7, s8, s9, s10 := row(6), row(7), row(8), row(9), row(10)
	for i := range dst {
		dst[i] = g[0]*(s0[i]+s10[i]) + g[1]*(s1[i]+s9[i]) + g[2]*(s2[i]+s8[i]) +
			g[3]*(s3[i]+s7[i]) + g[4]*(s4[i]+s6[i]) + g[5]*s5[i]
	}
}

// index sums equation (13) of the paper over n windows:
//
//	(2 mx my + c1) (2 sxy + c2) / ((mx mx + my my + c1) (sxx + syy + c2))
//
// with the variances sxx = E[xx] - mx mx, and so on.
//
// The conversions keep the compiler from fusing a multiplication with an
// addition. So the index is exactly 1 where x equals y, and exactly the same
// with x and y exchanged.
func (w *windows) index(n int) float64 {
	mx, my := w.mean[planeX][:n], w.mean[planeY][:n]
	squares, product := w.mean[planeSquares][:n], w.mean[planeProduct][:n]
	sum := 0.0
	for i := range mx {
		m := float64(2 * float64(mx[i]*my[i]))
		mm := float64(mx[i]*mx[i]) + float64(my[i]*my[i])
		covariance := float64(2*product[i]) - m
		variances := squares[i] - mm
		sum += (m + c1) * (covariance + c2) / ((mm + c1) * (variances + c2))
	}
	return sum
}
