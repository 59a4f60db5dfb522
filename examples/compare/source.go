package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/imaging"
)

// A Source is two images of one size whose pixels are not in memory yet: it knows how
// much they need, and decodes them into memory that is there, as often as it is asked. It
// is for one goroutine at a time.
type Source struct {
	left, right picture
	task        string // what decode does
}

// picture is one image of a source.
type picture struct {
	imaging.Header
	name   string
	decode func(ctx context.Context, pix []byte) (imaging.Frame, error)
	close  func() error
}

// Open opens two PNG, JPEG or GIF files and reads their headers.
func Open(left, right string) (*Source, error) {
	l, err := openFile(left)
	if err != nil {
		return nil, err
	}
	r, err := openFile(right)
	if err != nil {
		l.close()
		return nil, err
	}
	s := &Source{l, r, "decode two files"}
	if err := s.check(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// openFile refuses what cannot be read twice, once for the header.
func openFile(path string) (picture, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return picture{}, fmt.Errorf("%s: not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return picture{}, err
	}
	p, err := readPicture(path, file)
	if err != nil {
		file.Close()
		return picture{}, err
	}
	p.close = sync.OnceValue(file.Close)
	return p, nil
}

// readPicture reads the header of a PNG, JPEG or GIF image at r's beginning.
func readPicture(name string, r io.ReadSeeker) (picture, error) {
	h, err := imaging.ReadHeader(r)
	if err != nil {
		return picture{}, fmt.Errorf("%s: %w", name, err)
	}
	return picture{
		Header: h,
		name:   name,
		decode: func(ctx context.Context, pix []byte) (imaging.Frame, error) {
			if _, err := r.Seek(0, io.SeekStart); err != nil {
				return imaging.Frame{}, err
			}
			return imaging.Decode(boundReader{ctx, r}, pix)
		},
		close: func() error { return nil },
	}, nil
}

// boundReader ends with a context.
type boundReader struct {
	ctx context.Context
	io.ReadSeeker
}

func (b boundReader) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.ReadSeeker.Read(p)
}

// Sample makes two images: a picture, and the same with noise and a shape that has
// moved. It is an error if package imaging has no images of that size.
func Sample(width, height int) (*Source, error) {
	s := &Source{drawing(width, height, 0), drawing(width, height, 1), "make two images"}
	return s, s.check()
}

func drawing(width, height, variant int) picture {
	return picture{
		Header: imaging.Header{Width: width, Height: height, Format: imaging.NRGBA8},
		name:   "sample",
		decode: func(_ context.Context, pix []byte) (imaging.Frame, error) {
			return imaging.Sample(pix, width, height, variant)
		},
		close: func() error { return nil },
	}
}

func (s *Source) check() error {
	for _, p := range []picture{s.left, s.right} {
		if _, err := p.Header.Size(); err != nil {
			return err
		}
	}
	if l, r := s.left, s.right; l.Width != r.Width || l.Height != r.Height {
		return fmt.Errorf("images differ in size: %s is %dx%d, %s is %dx%d", l.name, l.Width, l.Height, r.name, r.Width, r.Height)
	}
	return nil
}

// Close closes the files. It is idempotent.
func (s *Source) Close() error { return errors.Join(s.left.close(), s.right.close()) }

// Size returns the size of each image in pixels.
func (s *Source) Size() (width, height int) { return s.left.Width, s.left.Height }

// Fits returns an error if the images are larger than a call can carry, with the image of
// their differences or without.
func (s *Source) Fits(difference bool) error {
	pair := s.pair(difference)
	_, err := pair.size(call.MaxBody, carries)
	return err
}

// carries is whose limit call.MaxBody is.
const carries = "a call carries"

func (s *Source) pair(difference bool) Pair {
	p := Pair{Left: s.left.laid(), Right: s.right.laid()}
	if difference {
		p.Difference = 1
	}
	return p
}

// laid says how the image lies once it is decoded: rows without gaps.
func (p picture) laid() Picture {
	return Picture{
		Width:  uint32(p.Width),
		Height: uint32(p.Height),
		Stride: uint32(p.Width * p.Format.PixelBytes()),
		Format: uint32(p.Format),
	}
}

// decode writes the pixels of both images.
func (s *Source) decode(ctx context.Context, to *images) error {
	if err := s.left.decodeTo(ctx, to.left); err != nil {
		return err
	}
	return s.right.decodeTo(ctx, to.right)
}

func (p picture) decodeTo(ctx context.Context, frame imaging.Frame) error {
	got, err := p.decode(ctx, frame.Pix)
	if ctx.Err() != nil {
		return ctx.Err() // a decoder takes an end like this for a file of no known kind
	}
	if err == nil && got.Header() != frame.Header() {
		err = fmt.Errorf("it was %v, and has become %v", frame.Header(), got.Header())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}
