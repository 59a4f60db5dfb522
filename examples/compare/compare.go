// Package compare is a service that compares two images, and its client: the
// pixels of both go to the server in memory that the client lends, and the
// figures, with an image of the differences if it is asked for, come back the
// same way.
//
// The programs in server and client use it as two processes:
//
//	go run ./examples/compare/server &
//	go run ./examples/compare/client left.png right.png
package compare

import (
	"context"
	"fmt"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/imaging"
)

// Service is the name that the example's server takes.
const Service = "imaging"

// Quota is what the server has to grant a client for images as large as a call can
// carry, and the image of their differences.
const Quota = 4 << 30

// Picture says how an image's pixels lie in the body of a request.
type Picture struct {
	Width, Height uint32 // pixels
	Stride        uint32 // bytes from one row to the next
	Format        uint32 // imaging.Format
}

// Pair is the argument of [Compare]. The request's body holds the left image's pixels and,
// directly behind them, the right image's: Stride*Height bytes each.
type Pair struct {
	Left, Right Picture
	Difference  bool // ask for the image of the differences
}

// Verdict is the result of [Compare]; package imaging says how each figure is
// counted. The result's body holds the image of the differences, if it was asked
// for: NRGBA, 8 bits a channel, Stride 4*Width.
type Verdict struct {
	MSE, PSNR, SSIM        float64 // PSNR in dB: +Inf for equal images; SSIM: NaN below 11x11 pixels
	Differing              uint64  // pixels
	MinX, MinY, MaxX, MaxY uint32  // the smallest box around them: MinX <= x < MaxX
}

// Compare is the service's method.
var Compare = call.NewMethod[Pair, Verdict]("compare")

// Handle adds the method to a server.
func Handle(srv *call.Server) {
	Compare.Handle(srv, func(_ context.Context, in *call.In[Pair], out *call.Out[Verdict]) error {
		left, right, err := in.Arg.frames(in.Body())
		if err != nil {
			return err
		}
		var difference *imaging.Frame
		if in.Arg.Difference {
			if difference, err = differenceFrame(left, out); err != nil {
				return err
			}
		}
		result, err := imaging.Compare(left, right, difference)
		if err != nil {
			return err
		}
		out.Result = verdict(result)
		return nil
	})
}

// frames returns the two images in a request's body. The client says where they
// lie, so every size is checked against the body.
func (p *Pair) frames(body []byte) (left, right imaging.Frame, err error) {
	l, r := p.Left, p.Right
	if l.Width != r.Width || l.Height != r.Height {
		return left, right, fmt.Errorf("images differ in size: left %dx%d, right %dx%d", l.Width, l.Height, r.Width, r.Height)
	}
	// Each product fits into 64 bits, their sum may not.
	split, rest := uint64(l.Stride)*uint64(l.Height), uint64(r.Stride)*uint64(r.Height)
	if n := uint64(len(body)); split > n || rest != n-split {
		return left, right, fmt.Errorf("the body has %d bytes, the two images need %d and %d", n, split, rest)
	}
	left, right = l.frame(body[:split]), r.frame(body[split:])
	if err := left.Check(); err != nil {
		return left, right, fmt.Errorf("left image: %w", err)
	}
	if err := right.Check(); err != nil {
		return left, right, fmt.Errorf("right image: %w", err)
	}
	return left, right, nil
}

func (p Picture) frame(pix []byte) imaging.Frame {
	return imaging.Frame{Width: int(p.Width), Height: int(p.Height), Stride: int(p.Stride), Format: imaging.Format(p.Format), Pix: pix}
}

func pictureOf(f imaging.Frame) Picture {
	return Picture{Width: uint32(f.Width), Height: uint32(f.Height), Stride: uint32(f.Stride), Format: uint32(f.Format)}
}

// differenceFrame makes room in the result's body.
func differenceFrame(like imaging.Frame, out *call.Out[Verdict]) (*imaging.Frame, error) {
	h := imaging.Header{Width: like.Width, Height: like.Height, Format: imaging.NRGBA8}
	n, err := h.Size()
	if err != nil {
		return nil, err
	}
	body, err := out.Body(n)
	if err != nil {
		return nil, err
	}
	f, err := h.Frame(body)
	return &f, err
}

func verdict(r imaging.Result) Verdict {
	return Verdict{
		MSE: r.MSE, PSNR: r.PSNR, SSIM: r.SSIM,
		Differing: r.Differing,
		MinX:      uint32(r.Box.Min.X), MinY: uint32(r.Box.Min.Y),
		MaxX: uint32(r.Box.Max.X), MaxY: uint32(r.Box.Max.Y),
	}
}
