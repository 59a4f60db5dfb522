package imaging

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// interpolated is a decoded JPEG with the colours that chroma and toRGB describe,
// each pixel worked out by itself.
type interpolated struct{ *image.YCbCr }

func (m interpolated) At(x, y int) color.Color {
	luma := 2 * 65536 * int(m.Y[m.YOffset(x, y)])
	cb, cr := m.sample(m.Cb, x, y)-128, m.sample(m.Cr, x, y)-128
	channel := func(twice int) uint8 { // of 65536ths
		return uint8(min(max((twice+65536)>>17, 0), 255))
	}
	return color.NRGBA{
		channel(luma + 2*91881*cr), channel(luma - 2*22554*cb - 2*46802*cr), channel(luma + 2*116130*cb), 255,
	}
}

func (m interpolated) sample(pix []byte, x, y int) int {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	at := func(x, y int) int { // the sample of the pixel, or of the nearest at the edge
		return int(pix[m.COffset(min(max(x, 0), width-1), min(max(y, 0), height-1))])
	}
	// Two pixels further is always the next sample.
	beside, across := x-2+x%2*4, y-2+y%2*4
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		if width > 4 {
			return (3*at(x, y) + at(beside, y) + 1 + x%2) / 4
		}
	case image.YCbCrSubsampleRatio440:
		return (3*at(x, y) + at(x, across) + 1 + y%2) / 4
	case image.YCbCrSubsampleRatio420:
		if width > 4 {
			return (9*at(x, y) + 3*at(beside, y) + 3*at(x, across) + at(beside, across) + 8 - x%2) / 16
		}
	}
	return at(x, y)
}

var samplings = []struct {
	name   string
	factor string // as ImageMagick's -sampling-factor
	ratio  image.YCbCrSubsampleRatio
}{
	{"4:4:4", "1x1", image.YCbCrSubsampleRatio444},
	{"4:2:2", "2x1", image.YCbCrSubsampleRatio422},
	{"4:2:0", "2x2", image.YCbCrSubsampleRatio420},
	{"4:4:0", "1x2", image.YCbCrSubsampleRatio440},
	{"4:1:1", "4x1", image.YCbCrSubsampleRatio411},
	{"4:1:0", "4x2", image.YCbCrSubsampleRatio410},
}

// As image/jpeg does, the planes are larger than the picture, and what is beyond
// its edges is not to be seen.
func TestStoreYCbCr(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, sampling := range samplings {
		for width := 1; width <= 19; width++ {
			for height := 1; height <= 9; height++ {
				whole := image.NewYCbCr(image.Rect(0, 0, 32, 16), sampling.ratio)
				for _, plane := range [][]byte{whole.Y, whole.Cb, whole.Cr} {
					for i := range plane {
						plane[i] = byte(random.Uint32())
					}
				}
				p := whole.SubImage(image.Rect(0, 0, width, height)).(*image.YCbCr)
				frame, err := Header{width, height, NRGBA8}.Frame(nil)
				if err != nil {
					t.Fatal(err)
				}
				store(frame, p)
				samePixels(t, frame, interpolated{p})
				if t.Failed() {
					t.Fatalf("%s %dx%d", sampling.name, width, height)
				}
			}
		}
	}
}

// Every luma and chroma there can be, against the formula with its factors as
// ITU-T T.871 has them.
func TestToRGB(t *testing.T) {
	luma, cb, cr := make([]byte, 256), make([]byte, 256), make([]byte, 256)
	row := make([]byte, 4*256)
	near := func(got byte, want float64) bool {
		d := float64(got) - min(max(want, 0), 255)
		return -0.51 < d && d < 0.51
	}
	for b := range 256 {
		for r := range 256 {
			for y := range 256 {
				luma[y], cb[y], cr[y] = byte(y), byte(b), byte(r)
			}
			toRGB(row, luma, cb, cr)
			for y := range 256 {
				blue, red := float64(b-128), float64(r-128)
				p := row[4*y:]
				if !near(p[0], float64(y)+1.402*red) ||
					!near(p[1], float64(y)-0.344136*blue-0.714136*red) ||
					!near(p[2], float64(y)+1.772*blue) || p[3] != 255 {
					t.Fatalf("Y %d Cb %d Cr %d: %v", y, b, r, p[:4])
				}
			}
		}
	}
}

// A block of one value comes out of every decoder's inverse transform as that
// value. Of a JPEG made of such blocks, all pixels must be those of libjpeg-turbo.
func TestStoreYCbCrAgainstLibjpeg(t *testing.T) {
	m := findMagick(t)
	for _, sampling := range samplings {
		for i, size := range []image.Point{
			{1, 1}, {4, 33}, {5, 5}, {33, 17}, {66, 47}, {331, 243},
		} {
			name := fmt.Sprintf("%s %v", sampling.name, size)
			path := filepath.Join(t.TempDir(), "blocks")
			random := rand.New(rand.NewPCG(3, uint64(i)))
			colours := map[image.Point]color.NRGBA64{}
			writeImage(t, path+".png", paintInto(image.NewRGBA(image.Rectangle{Max: size}), func(x, y int) color.NRGBA64 {
				block := image.Pt(x/32, y/16) // the largest of one chroma block
				c, ok := colours[block]
				if !ok {
					c = color.NRGBA64{uint16(random.Uint32()), uint16(random.Uint32()), uint16(random.Uint32()), 65535}
					colours[block] = c
				}
				return c
			}), 0)
			options := []string{"-sampling-factor", sampling.factor, "-quality", "93"}
			if i%2 == 1 {
				options = append(options, "-interlace", "JPEG") // progressive
			}
			m.convert(t, path+".png", path+".jpg", options...)
			m.convert(t, path+".jpg", path+"-decoded.png")
			theirs := decodeFile(t, path+"-decoded.png")
			if r := mustCompare(t, decodeFile(t, path+".jpg"), theirs); !r.Equal() {
				t.Errorf("%s: %d pixels differ in %v, %.2f dB", name, r.Differing, r.Box, r.PSNR)
			}
		}
	}
}
