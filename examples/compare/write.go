package compare

import (
	"context"
	"image"
	"io"

	"github.com/partywall/partywall/examples/outfile"
)

// WritePNG writes an image to a file. A file of that name is replaced when all is written,
// and left as it is after an error.
func WritePNG(ctx context.Context, path string, m image.Image) error {
	return outfile.Write(ctx, path, func(w io.Writer) error { return encodePNG(w, m) })
}
