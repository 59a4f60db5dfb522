package imaging

import (
	"fmt"
	"math/bits"
)

// Format says how a pixel lies in memory. Its values are fixed: they may be
// sent to another process.
type Format uint32

const (
	// NRGBA8: 4 bytes a pixel, red, green, blue, alpha; colour is not
	// multiplied by alpha. The layout of [image.NRGBA].
	NRGBA8 Format = 1

	// NRGBA16: 8 bytes a pixel, red, green, blue, alpha, each two bytes, the
	// high byte first; colour is not multiplied by alpha. The layout of
	// [image.NRGBA64].
	NRGBA16 Format = 2
)

// PixelBytes is the size of one pixel in bytes, 0 if the format is unknown.
func (f Format) PixelBytes() int {
	switch f {
	case NRGBA8:
		return 4
	case NRGBA16:
		return 8
	}
	return 0
}

func (f Format) String() string {
	switch f {
	case NRGBA8:
		return "NRGBA8"
	case NRGBA16:
		return "NRGBA16"
	}
	return fmt.Sprintf("Format(%d)", uint32(f))
}

// MaxBytes is the size in bytes of the largest image that [Header.Size]
// allows: 1 GiB, which is 268 million pixels of NRGBA8. It protects the reader of
// a small file that promises a huge image.
const MaxBytes = 1 << 30

// Header is what can be known of an image before its pixels are read.
type Header struct {
	Width, Height int // in pixels
	Format        Format
}

func (h Header) String() string {
	return fmt.Sprintf("%dx%d %v", h.Width, h.Height, h.Format)
}

// Size is the number of bytes that the image's pixels need, rows without gaps.
// It is an error if a side is not positive, the format is unknown, or the image
// needs more than [MaxBytes].
func (h Header) Size() (int, error) {
	pixel := h.Format.PixelBytes()
	switch {
	case pixel == 0:
		return 0, fmt.Errorf("imaging: unknown pixel format %d", uint32(h.Format))
	case h.Width <= 0 || h.Height <= 0:
		return 0, fmt.Errorf("imaging: image of %dx%d pixels has no area", h.Width, h.Height)
	}
	high, pixels := bits.Mul64(uint64(h.Width), uint64(h.Height))
	if high != 0 || pixels > MaxBytes/uint64(pixel) {
		return 0, fmt.Errorf("imaging: image of %dx%d pixels, %d bytes each, exceeds the limit of %d MiB",
			h.Width, h.Height, pixel, MaxBytes>>20)
	}
	return int(pixels) * pixel, nil
}

// Frame lays a frame without gaps over the beginning of pix, which it does not
// write to. If pix is nil it makes a new one. It is an error if [Header.Size]
// is one or pix is too short.
func (h Header) Frame(pix []byte) (Frame, error) {
	size, err := h.Size()
	if err != nil {
		return Frame{}, err
	}
	if pix == nil {
		pix = make([]byte, size)
	}
	if len(pix) < size {
		return Frame{}, fmt.Errorf("imaging: %d bytes of memory are too few for %v, which needs %d", len(pix), h, size)
	}
	return Frame{
		Width:  h.Width,
		Height: h.Height,
		Stride: h.Width * h.Format.PixelBytes(),
		Format: h.Format,
		Pix:    pix[:size:size],
	}, nil
}

// Frame is an image in memory. Row y begins at Pix[y*Stride].
//
// A Frame that was put together from what somebody else said is checked by the
// function it is given to; [Frame.Check] does that earlier.
type Frame struct {
	Width, Height int // in pixels
	Stride        int // bytes from the beginning of one row to that of the next
	Format        Format
	Pix           []byte
}

// Header is the frame's size and format.
func (f Frame) Header() Header {
	return Header{Width: f.Width, Height: f.Height, Format: f.Format}
}

// Check reports why the frame cannot be an image: no area, an unknown format,
// rows that overlap, or fewer bytes in Pix than the last row needs. It never
// looks at the pixels. There is no largest size.
func (f Frame) Check() error { return f.check("image") }

// check is Check with a name for the frame.
func (f Frame) check(name string) error {
	pixel := f.Format.PixelBytes()
	switch {
	case pixel == 0:
		return fmt.Errorf("imaging: %s has the unknown pixel format %d", name, uint32(f.Format))
	case f.Width <= 0 || f.Height <= 0:
		return fmt.Errorf("imaging: %s of %dx%d pixels has no area", name, f.Width, f.Height)
	}
	// Divisions, because a product of sides from a stranger may overflow.
	if f.Width > len(f.Pix)/pixel {
		return fmt.Errorf("imaging: %s: %d bytes are too few for one row of %v", name, len(f.Pix), f.Header())
	}
	row := f.Width * pixel
	if f.Stride < row {
		return fmt.Errorf("imaging: %s: stride of %d bytes is shorter than a row of %v", name, f.Stride, f.Header())
	}
	if f.Height-1 > (len(f.Pix)-row)/f.Stride {
		return fmt.Errorf("imaging: %s: %d bytes are too few for %v with a stride of %d", name, len(f.Pix), f.Header(), f.Stride)
	}
	return nil
}

// row is the bytes of n pixels of row y from column x on. The frame has been
// checked and the pixels lie in it.
func (f Frame) row(x, y, n int) []byte {
	pixel := f.Format.PixelBytes()
	from := y*f.Stride + x*pixel
	return f.Pix[from : from+n*pixel]
}
