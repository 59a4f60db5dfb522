package compare

import (
	"context"
	"image"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/imaging"
)

// Options are what else [Ask] is to do. The zero value asks for the verdict alone.
type Options struct {
	// Difference, if it is not nil, is given the image of the differences: see
	// [imaging.Compare]. It lies in the leased memory, and is gone when Difference
	// returns. [WritePNG] writes it to a file.
	Difference func(*image.NRGBA) error

	// Step, if it is not nil, is told what Ask does next.
	Step func(name string)
}

func (o *Options) step(name string) {
	if o.Step != nil {
		o.Step(name)
	}
}

// Ask has the service behind conn compare the images where they are decoded, in memory
// that both processes have mapped. The error is the source's, that of a call, or
// Difference's.
func Ask(ctx context.Context, conn *call.Conn, source *Source, options Options) (Verdict, error) {
	pair := source.pair(options.Difference != nil)
	size, err := pair.size(call.MaxBody, carries)
	if err != nil {
		return Verdict{}, err
	}
	var verdict Verdict
	options.step("lease shared memory")
	err = ComparePixels.Lease(ctx, conn, size, func(l *call.Lease[Pair, Verdict]) error {
		images, err := pair.in(l.Body)
		if err != nil {
			return err
		}
		options.step(source.task)
		if err := source.decode(ctx, images); err != nil {
			return err
		}
		options.step("call: pixels")
		*l.Arg = pair
		if err := l.Do(ctx); err != nil {
			return err
		}
		verdict = *l.Result
		if options.Difference == nil {
			return nil
		}
		return options.Difference(asImage(images.difference))
	})
	return verdict, err
}

// asImage is an NRGBA8 frame as an image of the standard library. They share the pixels.
func asImage(f *imaging.Frame) *image.NRGBA {
	return &image.NRGBA{Pix: f.Pix, Stride: f.Stride, Rect: image.Rect(0, 0, f.Width, f.Height)}
}
