package compare

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/trace"
	"github.com/partywall/partywall/examples/outfile"
)

// Compare compares two files, which the server decodes. The result's body is the image of
// the differences as a PNG file, if it is asked for.
var Compare = call.NewMethod[Files, Verdict]("compare")

// Files is the argument of [Compare]: two PNG, JPEG or GIF files, together at most
// 64 MiB, as a document has.
type Files struct {
	Left       []byte `json:"left"`
	Right      []byte `json:"right"`
	Difference bool   `json:"difference,omitempty"`
}

const (
	// maxDecoded is the most that the server decodes for one call, in bytes: a file
	// of a few kilobytes can promise gigabytes. It is 64 million pixels in each of two
	// images; the decoders need memory beside it, see [imaging.Decode].
	maxDecoded = 512 << 20

	// maxDecoding is how many calls are decoded at a time. Others wait.
	maxDecoding = 2
)

// decoder is the server's side of [Compare].
type decoder struct{ turn chan struct{} }

func newDecoder() *decoder { return &decoder{make(chan struct{}, maxDecoding)} }

func (d *decoder) compareFiles(ctx context.Context, in *call.In[Files], out *call.Out[Verdict]) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	images, err := in.Arg.decode(ctx)
	if err != nil {
		return err
	}
	if out.Result, err = images.verdict(); err != nil || images.difference == nil {
		return err
	}
	var file bytes.Buffer
	if err := encodePNG(outfile.Bound(ctx, &file), asImage(images.difference)); err != nil {
		return err
	}
	body, err := out.Body(file.Len())
	copy(body, file.Bytes())
	return err
}

// decode does on its own what the client of [ComparePixels] does in shared memory.
func (f *Files) decode(ctx context.Context) (*images, error) {
	left, err := readPicture("left", bytes.NewReader(f.Left))
	if err != nil {
		return nil, err
	}
	right, err := readPicture("right", bytes.NewReader(f.Right))
	if err != nil {
		return nil, err
	}
	source := &Source{left: left, right: right}
	if err := source.check(); err != nil {
		return nil, err
	}
	pair := source.pair(f.Difference)
	size, err := pair.size(maxDecoded, "the service decodes")
	if err != nil {
		return nil, err
	}
	trace.Logger(ctx).Info("decoding files", "left", left.Header, "right", right.Header)
	images, err := pair.in(make([]byte, size))
	if err != nil {
		return nil, err
	}
	return images, source.decode(ctx, images)
}

func encodePNG(w io.Writer, m image.Image) error {
	encoder := png.Encoder{CompressionLevel: png.BestSpeed} // the default takes longer than the comparison
	return encoder.Encode(w, m)
}
