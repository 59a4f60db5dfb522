package compare

import (
	"context"
	"fmt"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/imaging"
	"github.com/partywall/partywall/examples/compare/trace"
)

// ComparePixels compares two images where their pixels lie: in the body that the client
// lends, as [Pair] says.
var ComparePixels = call.NewInPlace[Pair, Verdict]("pixels")

// Pair is the argument of [ComparePixels]: how the body is laid out. It begins with the
// left image. The right one follows at once. If the image of the differences is asked
// for, the server paints it at the next multiple of 64 bytes: NRGBA, 8 bits a channel,
// 4*Width bytes to a row. There the body ends.
type Pair struct {
	Left, Right Picture
	Difference  uint32 // not 0: the image of the differences is asked for
}

// Picture says how an image's pixels lie: Stride*Height bytes.
type Picture struct {
	Width, Height uint32 // pixels
	Stride        uint32 // bytes from one row to the next
	Format        uint32 // imaging.Format
}

func comparePixels(ctx context.Context, l *call.Loan[Pair, Verdict]) error {
	pair := *l.Arg // the client can change its own while it is checked and used
	images, err := pair.in(l.Body)
	if err != nil {
		return err
	}
	trace.Logger(ctx).Info("comparing pixels", "left", images.left.Header(), "right", images.right.Header())
	*l.Result, err = images.verdict()
	return err
}

// images are the parts of a body.
type images struct {
	left, right imaging.Frame
	difference  *imaging.Frame // nil if it is not asked for
}

// in finds the images in a body. Nothing that the pair says is believed, since the client
// says it: this is where every size meets the memory that there is.
func (p *Pair) in(body []byte) (*images, error) {
	at, err := p.places()
	if err != nil {
		return nil, err
	}
	if n := uint64(len(body)); n != at.end {
		return nil, fmt.Errorf("the body has %d bytes, the images need %d", n, at.end)
	}
	m := &images{left: p.Left.frame(body[:at.right]), right: p.Right.frame(body[at.right:at.rightEnd])}
	if err := m.left.Check(); err != nil {
		return nil, fmt.Errorf("left image: %w", err)
	}
	if err := m.right.Check(); err != nil {
		return nil, fmt.Errorf("right image: %w", err)
	}
	if p.Difference != 0 {
		h := imaging.Header{Width: m.left.Width, Height: m.left.Height, Format: imaging.NRGBA8}
		difference, err := h.Frame(body[at.difference:])
		if err != nil {
			return nil, fmt.Errorf("image of the differences: %w", err)
		}
		m.difference = &difference
	}
	return m, nil
}

func (p Picture) frame(pix []byte) imaging.Frame {
	return imaging.Frame{
		Width:  int(p.Width),
		Height: int(p.Height),
		Stride: int(p.Stride),
		Format: imaging.Format(p.Format),
		Pix:    pix,
	}
}

// places are where the parts of a body begin, in bytes. The left image begins at 0.
type places struct{ right, rightEnd, difference, end uint64 }

func (p *Pair) places() (places, error) {
	l, r := p.Left, p.Right
	if l.Width != r.Width || l.Height != r.Height {
		return places{}, fmt.Errorf("images differ in size: left %dx%d, right %dx%d", l.Width, l.Height, r.Width, r.Height)
	}
	left, right, pixels := product(l.Stride, l.Height), product(r.Stride, r.Height), product(l.Width, l.Height)
	if max(left, right, pixels) > call.MaxBody { // from here on no sum is too large for 64 bits
		return places{}, fmt.Errorf("images of %dx%d pixels, %d and %d bytes to a row, are more than a call carries", l.Width, l.Height, l.Stride, r.Stride)
	}
	at := places{right: left, rightEnd: left + right, end: left + right}
	if p.Difference != 0 {
		at.difference = (at.rightEnd + 63) &^ 63
		at.end = at.difference + 4*pixels
	}
	return at, nil
}

func product(a, b uint32) uint64 { return uint64(a) * uint64(b) }

// size returns how long the body is. It is an error if that is above the limit, and who
// says whose limit it is.
func (p *Pair) size(limit int, who string) (int, error) {
	at, err := p.places()
	if err != nil {
		return 0, err
	}
	if at.end <= uint64(limit) {
		return int(at.end), nil
	}
	what, rest := "the two", ""
	if p.Difference != 0 {
		what = "the two and the image of their differences"
		if at.rightEnd <= uint64(limit) {
			rest = fmt.Sprintf("; the two alone need %d", at.rightEnd>>20)
		}
	}
	return 0, fmt.Errorf("images of %dx%d pixels: %s need %d MiB, %s at most %d%s",
		p.Left.Width, p.Left.Height, what, at.end>>20, who, limit>>20, rest)
}
