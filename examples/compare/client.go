package compare

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/imaging"
)

// Images are two images whose pixels lie one behind the other, as a request's
// body has them.
type Images struct {
	pair Pair
	body []byte
}

// Size returns the size of the left image in pixels.
func (i *Images) Size() (width, height int) {
	return int(i.pair.Left.Width), int(i.pair.Left.Height)
}

// Open decodes two PNG, JPEG or GIF files.
func Open(left, right string) (*Images, error) {
	files := make([]*os.File, 2)
	headers := make([]imaging.Header, 2)
	for i, path := range []string{left, right} {
		file, err := open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		if headers[i], err = imaging.ReadHeader(file); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files[i] = file
	}
	if l, r := headers[0], headers[1]; l.Width != r.Width || l.Height != r.Height {
		return nil, fmt.Errorf("images differ in size: %s is %dx%d, %s is %dx%d", left, l.Width, l.Height, right, r.Width, r.Height)
	}
	body, split, err := bodyFor(headers[0], headers[1])
	if err != nil {
		return nil, err
	}
	l, err := imaging.Decode(files[0], body[:split])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", left, err)
	}
	r, err := imaging.Decode(files[1], body[split:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", right, err)
	}
	return &Images{pair: Pair{Left: pictureOf(l), Right: pictureOf(r)}, body: body}, nil
}

// open opens a file that can be read twice, once for its header.
func open(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	return os.Open(path)
}

// Sample makes two images: a picture, and the same with noise and a shape that
// has moved.
func Sample(width, height int) (*Images, error) {
	h := imaging.Header{Width: width, Height: height, Format: imaging.NRGBA8}
	body, split, err := bodyFor(h, h)
	if err != nil {
		return nil, err
	}
	l, err := imaging.Sample(body[:split], width, height, 0)
	if err != nil {
		return nil, err
	}
	r, err := imaging.Sample(body[split:], width, height, 1)
	if err != nil {
		return nil, err
	}
	return &Images{pair: Pair{Left: pictureOf(l), Right: pictureOf(r)}, body: body}, nil
}

// CheckSample reports why [Sample] cannot make images of that size.
func CheckSample(width, height int) error {
	h := imaging.Header{Width: width, Height: height, Format: imaging.NRGBA8}
	_, err := bodySize(h, h)
	return err
}

// bodyFor makes a request's body. The right image begins at split.
func bodyFor(left, right imaging.Header) (body []byte, split int, err error) {
	n, err := bodySize(left, right)
	if err != nil {
		return nil, 0, err
	}
	split, err = left.Size()
	return make([]byte, n), split, err
}

func bodySize(left, right imaging.Header) (int, error) {
	l, err := left.Size()
	if err != nil {
		return 0, err
	}
	r, err := right.Size()
	if err != nil {
		return 0, err
	}
	if l > call.MaxBody-r {
		return 0, fmt.Errorf("images of %dx%d pixels: the two need %d MiB, a call carries at most %d", left.Width, left.Height, (int64(l)+int64(r))>>20, call.MaxBody>>20)
	}
	return l + r, nil
}

// A Difference is the image of the differences.
type Difference struct {
	frame imaging.Frame
}

// Ask has the service behind conn compare the images. With difference, it also
// returns the image of the differences.
func (i *Images) Ask(ctx context.Context, conn *call.Conn, difference bool) (Verdict, *Difference, error) {
	pair := i.pair
	pair.Difference = difference
	v, pix, err := Compare.CallBody(ctx, conn, pair, i.body, nil)
	if err != nil || !difference {
		return v, nil, err
	}
	w, h := i.Size()
	f, err := imaging.Header{Width: w, Height: h, Format: imaging.NRGBA8}.Frame(pix)
	return v, &Difference{f}, err
}

// WritePNG writes the image to a file. A file of that name is replaced when all is
// written, and left as it is after an error.
func (d *Difference) WritePNG(ctx context.Context, path string) error {
	f := d.frame
	return writeFile(ctx, path, func(w io.Writer) error {
		encoder := png.Encoder{CompressionLevel: png.BestSpeed} // the default takes longer than the comparison
		return encoder.Encode(w, &image.NRGBA{
			Pix:    f.Pix,
			Stride: f.Stride,
			Rect:   image.Rect(0, 0, f.Width, f.Height),
		})
	})
}
