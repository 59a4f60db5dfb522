package imaging

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func encoded(t testing.TB, kind string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	case "jpeg":
		err = jpeg.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fill sets an image's bytes to all sorts of values.
func fill[M any](m M, pix ...[]byte) M {
	for _, p := range pix {
		for i := range p {
			p[i] = byte(i*i*7 + i*31)
		}
	}
	return m
}

// opaque gives the pixels of an RGBA or RGBA64 image full alpha.
func opaque[M any](m M, pix []byte, alpha int) M {
	size := 4 * alpha
	for i := range pix {
		if i%size >= size-alpha {
			pix[i] = 255
		}
	}
	return m
}

var testRect = image.Rect(0, 0, 19, 13)

func TestDecode(t *testing.T) {
	rgba, rgba64 := image.NewRGBA(testRect), image.NewRGBA64(testRect)
	grey, grey16 := image.NewGray(testRect), image.NewGray16(testRect)
	nrgba, nrgba64 := image.NewNRGBA(testRect), image.NewNRGBA64(testRect)
	paletted := image.NewPaletted(testRect, palette.Plan9)
	for _, tt := range []struct {
		name, kind string
		picture    image.Image
		format     Format
	}{
		{"colour", "png", opaque(fill(rgba, rgba.Pix), rgba.Pix, 1), NRGBA8},
		{"colour 16", "png", opaque(fill(rgba64, rgba64.Pix), rgba64.Pix, 2), NRGBA16},
		{"grey", "png", fill(grey, grey.Pix), NRGBA8},
		{"grey 16", "png", fill(grey16, grey16.Pix), NRGBA16},
		{"alpha", "png", fill(nrgba, nrgba.Pix), NRGBA8},
		{"alpha 16", "png", fill(nrgba64, nrgba64.Pix), NRGBA16},
		{"palette", "png", fill(paletted, paletted.Pix), NRGBA8},
		{"gif", "gif", paletted, NRGBA8},
		{"jpeg", "jpeg", rgba, NRGBA8},
		{"jpeg grey", "jpeg", grey, NRGBA8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := append([]byte("before"), encoded(t, tt.kind, tt.picture)...)
			r := bytes.NewReader(data)
			if _, err := r.Seek(6, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			header, err := ReadHeader(r)
			if err != nil {
				t.Fatal(err)
			}
			if want := (Header{19, 13, tt.format}); header != want {
				t.Errorf("header %v, want %v", header, want)
			}
			size, err := header.Size()
			if err != nil {
				t.Fatal(err)
			}
			pix := bytes.Repeat([]byte{0xaa}, size+3)
			frame, err := Decode(r, pix)
			if err != nil {
				t.Fatal(err)
			}
			if frame.Header() != header || frame.Check() != nil || &frame.Pix[0] != &pix[0] {
				t.Errorf("%+v", frame.Header())
			}
			if !bytes.Equal(pix[size:], []byte{0xaa, 0xaa, 0xaa}) {
				t.Error("wrote beyond the pixels")
			}
			plain, _, err := image.Decode(bytes.NewReader(data[6:]))
			if err != nil {
				t.Fatal(err)
			}
			if p, ok := plain.(*image.YCbCr); ok {
				plain = interpolated{p}
			}
			samePixels(t, frame, plain)
		})
	}
}

// samePixels compares a frame with what the color package says of a picture's
// pixels, in the place where the picture is.
func samePixels(t *testing.T, frame Frame, picture image.Image) {
	t.Helper()
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			var want color.Color = color.NRGBAModel.Convert(picture.At(x, y))
			if frame.Format == NRGBA16 {
				want = color.NRGBA64Model.Convert(picture.At(x, y))
			}
			if got := asImage(frame).At(x, y); got != want {
				t.Fatalf("%T, pixel %d, %d: %v, want %v", picture, x, y, got, want)
			}
		}
	}
}

// Also the types of image that other decoders make.
func TestStore(t *testing.T) {
	inner := image.Rect(3, 2, 12, 11)
	rgba, rgba64 := image.NewRGBA(inner), image.NewRGBA64(inner)
	for i := range rgba.Pix {
		rgba.Pix[i] = byte(min(i, 100+i%4*50)) // no colour above its alpha
		rgba64.Pix[2*i] = rgba.Pix[i]
	}
	ycc := image.NewYCbCr(inner, image.YCbCrSubsampleRatio420)
	ycca := image.NewNYCbCrA(inner, image.YCbCrSubsampleRatio444)
	cmyk := image.NewCMYK(inner)
	paletted := image.NewPaletted(inner, color.Palette{color.Transparent, color.NRGBA{9, 8, 7, 6}, color.White})
	for i := range paletted.Pix {
		paletted.Pix[i] = byte(i % 3)
	}
	for _, picture := range []image.Image{
		rgba, rgba64, paletted,
		fill(ycc, ycc.Y, ycc.Cb, ycc.Cr),
		fill(ycca, ycca.Y, ycca.Cb, ycca.Cr, ycca.A),
		fill(cmyk, cmyk.Pix),
		image.NewAlpha(inner),
	} {
		for _, format := range []Format{NRGBA8, NRGBA16} {
			frame, err := Header{19, 13, format}.Frame(nil)
			if err != nil {
				t.Fatal(err)
			}
			store(frame, picture)
			samePixels(t, frame, picture)
			for _, v := range frame.row(0, 5, inner.Min.X) {
				if v != 0 {
					t.Fatalf("%T: wrote beside the picture", picture)
				}
			}
		}
	}
}

func TestDecodeGIFFirstFrame(t *testing.T) {
	first := image.NewPaletted(image.Rect(1, 1, 3, 2), color.Palette{color.NRGBA{10, 20, 30, 255}})
	second := image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{color.White})
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{first, second}, Delay: []int{0, 0},
		Config: image.Config{Width: 4, Height: 3},
	}); err != nil {
		t.Fatal(err)
	}
	frame, err := Decode(bytes.NewReader(b.Bytes()), bytes.Repeat([]byte{7}, 48))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 48)
	copy(want[16+4:], []byte{10, 20, 30, 255, 10, 20, 30, 255})
	if d := cmp.Diff(want, frame.Pix); d != "" {
		t.Error(d)
	}
}

// pngHeader is a PNG file that ends after a header promising that size.
func pngHeader(width, height uint32) []byte {
	chunk := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)...)
	chunk = append(chunk, 8, 6, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(file, chunk...), crc32.ChecksumIEEE(chunk))
}

func TestDecodeErrors(t *testing.T) {
	small := encoded(t, "png", image.NewNRGBA(testRect))
	for _, tt := range []struct {
		name string
		data []byte
		pix  []byte
		err  string
	}{
		{"empty", nil, nil, "not a PNG, JPEG or GIF image"},
		{"text", []byte("P6 3 3 255 and so on"), nil, "not a PNG, JPEG or GIF image"},
		{"bomb", []byte("GIF89a\x50\xc3\x50\xc3\x00\x00\x00"), nil, "50000x50000 pixels, 4 bytes each, exceeds the limit of 1024 MiB"},
		{"PNG bomb", pngHeader(100_000, 100_000), nil, "imaging: "}, // on 32-bit systems image/png refuses it first
		{"largest PNG", pngHeader(1<<31-1, 1<<31-1), nil, "imaging: "},
		{"no area", pngHeader(0, 5), nil, "imaging: "},
		{"GIF without area", []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00"), nil, "0x0 pixels has no area"},
		{"cut short", small[:len(small)-20], nil, "bad png image: "},
		{"header only", pngHeader(5, 5), nil, "bad png image: "},
		{"too little memory", small, make([]byte, 987), "987 bytes of memory are too few for 19x13 NRGBA8, which needs 988"},
		{"no memory", small, []byte{}, "0 bytes of memory are too few"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Decode(bytes.NewReader(tt.data), tt.pix); !matches(err, tt.err) {
				t.Errorf("%v, want %q", err, tt.err)
			}
		})
	}
}

// swapped is a file that somebody exchanges after its header has been read.
type swapped struct {
	*bytes.Reader
	other *bytes.Reader
}

func (s *swapped) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		s.Reader = s.other
	}
	return s.Reader.Seek(offset, whence)
}

func TestDecodeFileThatChanges(t *testing.T) {
	small := encoded(t, "png", image.NewNRGBA(image.Rect(0, 0, 2, 2)))
	large := encoded(t, "png", image.NewNRGBA(testRect))
	_, err := Decode(&swapped{bytes.NewReader(small), bytes.NewReader(large)}, nil)
	if !matches(err, "png image changed while it was read: it was 2x2, its pixels are 19x13") {
		t.Error(err)
	}
}
