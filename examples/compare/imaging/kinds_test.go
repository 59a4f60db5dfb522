package imaging

import (
	"image"
	"image/color"
	"image/color/palette"
	"math/rand/v2"
	"os"
	"testing"
)

// kinds are the kinds of files that PSNR is checked for. write writes one of a
// pair, 0 or 1, to a file whose name begins with path, and returns the name.
var kinds = []struct {
	name  string
	only6 bool // images with alpha, or grey beside colour
	write func(t *testing.T, m magick, path string, size image.Point, which int) string
}{
	{"png colour 8", false, picture(func(v *view) image.Image { return paintInto(image.NewRGBA(v.rect), v.opaque) })},
	{"png grey 8", false, picture(func(v *view) image.Image { return paintInto(image.NewGray(v.rect), v.opaque) })},
	{"png alpha 8", true, picture(func(v *view) image.Image { return paintInto(image.NewNRGBA(v.rect), v.alpha) })},
	{"png colour 16", false, picture(func(v *view) image.Image { return paintInto(image.NewRGBA64(v.rect), v.opaque) })},
	{"png grey 16", false, picture(func(v *view) image.Image { return paintInto(image.NewGray16(v.rect), v.opaque) })},
	{"png alpha 16", true, picture(func(v *view) image.Image { return paintInto(image.NewNRGBA64(v.rect), v.alpha) })},
	{"png palette", false, picture(func(v *view) image.Image {
		return paintInto(image.NewPaletted(v.rect, palette.Plan9), v.opaque)
	})},
	{"png palette alpha", true, picture(func(v *view) image.Image {
		colours := append(color.Palette{color.Transparent, color.NRGBA{200, 90, 10, 100}}, palette.WebSafe...)
		m := image.NewPaletted(v.rect, colours)
		for i := range m.Pix {
			m.Pix[i] = byte(v.random.IntN(len(colours)))
		}
		return m
	})},
	{"png 8 and 16", false, picture(func(v *view) image.Image {
		if v.which == 0 {
			return paintInto(image.NewRGBA(v.rect), v.opaque)
		}
		return paintInto(image.NewRGBA64(v.rect), v.opaque)
	})},
	{"png grey and colour", true, picture(func(v *view) image.Image {
		if v.which == 0 {
			return paintInto(image.NewGray(v.rect), v.opaque)
		}
		return paintInto(image.NewRGBA(v.rect), v.opaque)
	})},
	{"png opaque and alpha", true, picture(func(v *view) image.Image {
		if v.which == 0 {
			return paintInto(image.NewRGBA(v.rect), v.opaque)
		}
		return paintInto(image.NewNRGBA(v.rect), v.alpha)
	})},
	{"png interlaced colour 8", false, rewritten("-interlace", "PNG", "-depth", "8")},
	{"png interlaced colour 16", false, rewritten("-interlace", "PNG", "-depth", "16")},
	{"png grey 4", false, rewritten("-colorspace", "Gray", "-depth", "4")},
	{"png grey 2", false, rewritten("-colorspace", "Gray", "-posterize", "4", "-depth", "2")},
	{"png grey 1", false, rewritten("-colorspace", "Gray", "-monochrome")},
	{"gif", false, func(t *testing.T, _ magick, path string, size image.Point, which int) string {
		v := newView(size, which)
		writeImage(t, path+".gif", paintInto(image.NewRGBA(v.rect), v.opaque), 0)
		return path + ".gif"
	}},
	{"jpeg grey, pixels of Decode", false, jpegPixels(nil)},
	{"jpeg 4:2:0, pixels of Decode", false, jpegPixels([]string{"-sampling-factor", "2x2"})},
	{"jpeg 4:4:4, pixels of Decode", false, jpegPixels([]string{"-sampling-factor", "1x1"})},
}

// view is one of two similar pictures: smooth colours with noise.
type view struct {
	rect   image.Rectangle
	which  int
	random *rand.Rand
}

func newView(size image.Point, which int) *view {
	return &view{image.Rectangle{Max: size}, which, rand.New(rand.NewPCG(7, uint64(which)))}
}

func (v *view) opaque(x, y int) color.NRGBA64 {
	channel := func(base int) uint16 {
		return uint16(min(max(base+v.random.IntN(6000)*v.which, 0), 65535))
	}
	return color.NRGBA64{channel(x * 180), channel(y * 250), channel(40000 - x*y/2), 65535}
}

func (v *view) alpha(x, y int) color.NRGBA64 {
	c := v.opaque(x, y)
	c.A = uint16(min((x+y)*400+v.random.IntN(9000), 65535))
	if (x+y)%11 == 0 {
		c.A = 0
	}
	return c
}

func paintInto[M interface {
	image.Image
	Set(x, y int, c color.Color)
}](m M, at func(x, y int) color.NRGBA64) image.Image {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			m.Set(x, y, at(x, y))
		}
	}
	return m
}

type writer = func(t *testing.T, m magick, path string, size image.Point, which int) string

// picture writes a PNG with the standard library.
func picture(draw func(v *view) image.Image) writer {
	return func(t *testing.T, _ magick, path string, size image.Point, which int) string {
		writeImage(t, path+".png", draw(newView(size, which)), 0)
		return path + ".png"
	}
}

// rewritten writes a PNG with ImageMagick's convert, with options that the
// standard library's encoder does not have.
func rewritten(options ...string) writer {
	return func(t *testing.T, m magick, path string, size image.Point, which int) string {
		v := newView(size, which)
		plain := path + "-plain.png"
		writeImage(t, plain, paintInto(image.NewRGBA64(v.rect), v.opaque), 0)
		m.convert(t, plain, path+".png", options...)
		return path + ".png"
	}
}

// jpegPixels writes, as PNG, the pixels that Decode makes of a JPEG: one with the
// given options of convert, or a grey one.
func jpegPixels(options []string) writer {
	return func(t *testing.T, m magick, path string, size image.Point, which int) string {
		v := newView(size, which)
		jpg := path + ".jpg"
		if options == nil {
			writeImage(t, jpg, paintInto(image.NewGray(v.rect), v.opaque), 85)
		} else {
			writeImage(t, path+"-plain.png", paintInto(image.NewRGBA(v.rect), v.opaque), 0)
			m.convert(t, path+"-plain.png", jpg, append(options, "-quality", "85")...)
		}
		frame := decodeFile(t, jpg)
		if err := os.Remove(jpg); err != nil {
			t.Fatal(err)
		}
		writeImage(t, path+".png", asImage(frame), 0)
		return path + ".png"
	}
}
