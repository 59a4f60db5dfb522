package imaging

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // the three formats that image.Decode is to know
	_ "image/jpeg"
	_ "image/png"
	"io"
)

// ReadHeader reads how large the PNG, JPEG or GIF image at r's position is and
// which format [Decode] will give it, and goes back to that position. Only as
// much is read as the header takes. An image that [Header.Size] does not allow is
// an error.
//
// PNG files with 16 bits a channel become [NRGBA16], everything else [NRGBA8].
// Of a GIF the size is that of the whole picture, not of its first frame.
func ReadHeader(r io.ReadSeeker) (Header, error) {
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return Header{}, fmt.Errorf("imaging: %w", err)
	}
	config, kind, err := image.DecodeConfig(r)
	if err != nil {
		return Header{}, decodeError(kind, err)
	}
	if _, err := r.Seek(start, io.SeekStart); err != nil {
		return Header{}, fmt.Errorf("imaging: %w", err)
	}
	header := Header{Width: config.Width, Height: config.Height, Format: NRGBA8}
	switch config.ColorModel {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		header.Format = NRGBA16
	}
	if _, err := header.Size(); err != nil {
		return Header{}, err
	}
	return header, nil
}

// Decode reads the PNG, JPEG or GIF image at r's position and writes its pixels,
// rows without gaps, to the beginning of pix, or to new memory if pix is nil.
//
// It is an error, found before anything is decoded, if the image exceeds
// [MaxBytes] or pix is shorter than [Header.Size]. After an error pix may have
// been written to in part. While it decodes, Decode needs memory of its own: as much as
// the pixels take, twice that for an interlaced PNG, five times for a
// progressive JPEG.
//
// Of a GIF the first frame is shown in its place on a transparent picture.
// Colour profiles, gamma and orientation are ignored.
//
// # JPEG and libjpeg
//
// The JPEG standard leaves three things to the decoder: how the inverse transform
// rounds, how colour stored at a lower resolution is enlarged, and how a colour
// is rounded. In the last two Decode does what libjpeg-turbo does by default since
// version 2.0.3, pixel for pixel. The transform is that of image/jpeg: two or
// three in a hundred values of luma and chroma are off by one level against
// libjpeg's. CMYK files, and those that store RGB, have the pixels of image/jpeg
// altogether.
//
// The worst seen against ImageMagick 6 with libjpeg-turbo 2.1, with two kinds of
// picture of 256x256 pixels (that of [Sample], full of edges, and a smooth one
// with noise) at qualities 50 to 95: the largest difference of a channel, the
// PSNR of one decoding against the other, and how far the PSNR of two JPEGs
// against each other (23 to 27 dB) moves with the decoder:
//
//	grey     1 level   64 dB    0.002 dB
//	4:4:4    3 levels  59.7 dB  0.006 dB
//	4:2:2    3 levels  60.1 dB  0.003 dB
//	4:2:0    3 levels  60.5 dB  0.002 dB
//	4:4:0    3 levels  59.7 dB  0.002 dB
//
// The more two JPEGs are alike, the more those single levels count. With plasma
// fractals, plain, blurred and with noise, and ImageMagick's rose and logo, at
// qualities 20 to 100, the PSNR of a pair and how far it moved at most:
//
//	to 40 dB  0.01 dB
//	to 46 dB  0.02 dB
//	to 50 dB  0.04 dB
//
// Other decoders enlarge colour in other ways: libjpeg-turbo before version 1.5.1
// repeats it in 4:4:0 files, as image/jpeg does in all. That moves the PSNR of a
// pair by up to 3 dB.
func Decode(r io.ReadSeeker, pix []byte) (Frame, error) {
	header, err := ReadHeader(r)
	if err != nil {
		return Frame{}, err
	}
	frame, err := header.Frame(pix)
	if err != nil {
		return Frame{}, err
	}
	picture, kind, err := image.Decode(r)
	if err != nil {
		return Frame{}, decodeError(kind, err)
	}
	bounds := picture.Bounds()
	whole := image.Rect(0, 0, frame.Width, frame.Height)
	switch {
	case bounds == whole:
	case kind == "gif" && bounds.In(whole):
		clear(frame.Pix)
	default:
		// Two reads of one file that did not agree.
		return Frame{}, fmt.Errorf("imaging: %s image changed while it was read: it was %dx%d, its pixels are %dx%d",
			kind, frame.Width, frame.Height, bounds.Dx(), bounds.Dy())
	}
	store(frame, picture)
	return frame, nil
}

func decodeError(kind string, err error) error {
	if errors.Is(err, image.ErrFormat) {
		return fmt.Errorf("imaging: not a PNG, JPEG or GIF image: %w", err)
	}
	if kind == "" {
		return fmt.Errorf("imaging: %w", err)
	}
	return fmt.Errorf("imaging: bad %s image: %w", kind, err)
}
