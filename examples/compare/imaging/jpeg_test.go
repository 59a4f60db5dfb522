package imaging

import (
	"fmt"
	"image"
	"math"
	"path/filepath"
	"testing"
)

// How far the pixels of Decode are from libjpeg-turbo's is stated there. This
// test measures it, and fails if the statement is no longer true. One level of a
// plane is not more than three of a colour.
func TestJPEGAgainstLibjpeg(t *testing.T) {
	m := findMagick(t)
	for _, tt := range []struct {
		name    string
		options []string
		most    float64 // levels between the two decoders, any channel
		psnr    float64 // dB between the two decoders, at least
	}{
		{"grey", []string{"-colorspace", "Gray"}, 1, 64},
		{"4:4:4", []string{"-sampling-factor", "1x1"}, 3, 59.5},
		{"4:2:2", []string{"-sampling-factor", "2x1"}, 3, 60},
		{"4:2:0", []string{"-sampling-factor", "2x2"}, 3, 60},
		{"4:4:0", []string{"-sampling-factor", "1x2"}, 3, 59.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			most, psnr, pair := 0.0, math.Inf(1), 0.0
			for _, content := range []func(which int) image.Image{
				func(which int) image.Image { return asImage(mustSample(t, 256, 256, which)) },
				func(which int) image.Image {
					v := newView(image.Pt(256, 256), which)
					return paintInto(image.NewRGBA(v.rect), v.opaque)
				},
			} {
				for _, quality := range []string{"50", "75", "95"} {
					var ours [2]Frame
					var files [2]string
					for i := range ours {
						path := filepath.Join(t.TempDir(), fmt.Sprint(i))
						writeImage(t, path+".png", content(i), 0)
						files[i] = path + ".jpg"
						m.convert(t, path+".png", files[i], append(tt.options, "-quality", quality)...)
						m.convert(t, files[i], path+"-decoded.png")
						ours[i] = decodeFile(t, files[i])
						theirs := decodeFile(t, path+"-decoded.png")
						psnr = min(psnr, mustCompare(t, ours[i], theirs).PSNR)
						for k, v := range theirs.Pix {
							most = max(most, math.Abs(float64(v)-float64(ours[i].Pix[k])))
						}
					}
					pair = max(pair, math.Abs(mustCompare(t, ours[0], ours[1]).PSNR-m.psnr(t, files[0], files[1])))
				}
			}
			t.Logf("at most %v levels, at least %.1f dB; PSNR of a pair differs by up to %.4f dB", most, psnr, pair)
			if most > tt.most || psnr < tt.psnr || pair > 0.01 {
				t.Errorf("more than stated: %v levels, %v dB, pair %v dB", tt.most, tt.psnr, 0.01)
			}
		})
	}
}

// Two JPEGs of one picture must be as far apart here as ImageMagick finds them,
// within what is stated at Decode.
func TestJPEGPairsAgainstImageMagick(t *testing.T) {
	m := findMagick(t)
	sample := filepath.Join(t.TempDir(), "sample.png")
	writeImage(t, sample, asImage(mustSample(t, 322, 241, 0)), 0)
	for _, content := range []struct {
		name string
		args []string // what convert makes the picture from
	}{
		{"sample", []string{sample}},
		{"plasma", []string{"-seed", "5", "-size", "301x227", "plasma:"}},
		{"plasma blurred", []string{"-seed", "9", "-size", "320x240", "plasma:tomato-steelblue", "-blur", "0x2"}},
		{"plasma smooth", []string{"-seed", "6", "-size", "320x240", "plasma:grey50-yellow", "-blur", "0x3"}},
		{"plasma with noise", []string{"-seed", "4", "-size", "256x256", "plasma:", "-attenuate", "0.3", "+noise", "Gaussian"}},
		{"rose", []string{"rose:", "-resize", "400%"}},
		{"logo", []string{"logo:", "-resize", "50%"}},
	} {
		t.Run(content.name, func(t *testing.T) {
			dir := t.TempDir()
			plain, left, right := filepath.Join(dir, "plain.png"), filepath.Join(dir, "left.jpg"), filepath.Join(dir, "right.jpg")
			m.run(t, append(content.args, plain)...)
			for _, sampling := range []string{"2x2", "2x1", "1x1"} {
				worst, low, high := 0.0, math.Inf(1), 0.0
				m.convert(t, plain, left, "-sampling-factor", sampling, "-quality", "90")
				for _, change := range [][]string{
					{"-quality", "30"},
					{"-interlace", "JPEG", "-quality", "75"},
					{"-blur", "0x1", "-quality", "90"},
					{"-quality", "95"},
				} {
					m.convert(t, plain, right, append(change, "-sampling-factor", sampling)...)
					got, want := mustCompare(t, decodeFile(t, left), decodeFile(t, right)).PSNR, m.psnr(t, left, right)
					bound := 0.01
					if want > 46 {
						bound = 0.04
					} else if want > 40 {
						bound = 0.02
					}
					if !near(got, want, bound) {
						t.Errorf("%s %v: %.4f dB, ImageMagick says %v", sampling, change, got, want)
					}
					worst = max(worst, math.Abs(got-want))
					low, high = min(low, want), max(high, want)
				}
				t.Logf("%s: %.1f to %.1f dB, largest difference %.4f dB", sampling, low, high, worst)
			}
		})
	}
}

func mustCompare(t *testing.T, left, right Frame) Result {
	t.Helper()
	r, err := Compare(left, right, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
