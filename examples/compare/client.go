package compare

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
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
	sizes := make([]int, 2)
	for i, path := range []string{left, right} {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		if headers[i], err = imaging.ReadHeader(file); err == nil {
			sizes[i], err = headers[i].Size()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files[i] = file
	}
	if l, r := headers[0], headers[1]; l.Width != r.Width || l.Height != r.Height {
		return nil, fmt.Errorf("images differ in size: %s is %dx%d, %s is %dx%d", left, l.Width, l.Height, right, r.Width, r.Height)
	}
	body := make([]byte, sizes[0]+sizes[1])
	l, err := imaging.Decode(files[0], body[:sizes[0]])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", left, err)
	}
	r, err := imaging.Decode(files[1], body[sizes[0]:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", right, err)
	}
	return &Images{pair: Pair{Left: pictureOf(l), Right: pictureOf(r)}, body: body}, nil
}

// Sample makes two images: a picture, and the same with noise and a shape that
// has moved.
func Sample(width, height int) (*Images, error) {
	n, err := imaging.Header{Width: width, Height: height, Format: imaging.NRGBA8}.Size()
	if err != nil {
		return nil, err
	}
	body := make([]byte, 2*n)
	l, err := imaging.Sample(body[:n], width, height, 0)
	if err != nil {
		return nil, err
	}
	r, err := imaging.Sample(body[n:], width, height, 1)
	if err != nil {
		return nil, err
	}
	return &Images{pair: Pair{Left: pictureOf(l), Right: pictureOf(r)}, body: body}, nil
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

// WritePNG writes the image to a file.
func (d *Difference) WritePNG(path string) error {
	f := d.frame
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(file, &image.NRGBA{
		Pix:    f.Pix,
		Stride: f.Stride,
		Rect:   image.Rect(0, 0, f.Width, f.Height),
	}), file.Close())
}
