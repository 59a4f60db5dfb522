package compare

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"math/rand/v2"
	"testing"

	"github.com/partywall/partywall/call"
)

// interrupted is a file whose reader gives up after its first piece.
type interrupted struct {
	*bytes.Reader
	cancel context.CancelFunc
	reads  int
}

func (r *interrupted) Read(p []byte) (int, error) {
	r.reads++
	r.cancel()
	return r.Reader.Read(p)
}

// Who gives up does not wait until a large file is decoded.
func TestDecodeEndsWithContext(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 500, 500))
	for i := range m.Pix {
		m.Pix[i] = byte(rand.Uint32())
	}
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &interrupted{Reader: bytes.NewReader(file.Bytes()), cancel: cancel}
	p, err := readPicture("noise", r)
	if err != nil {
		t.Fatal(err)
	}
	source := &Source{left: p, right: p}
	pair := source.pair(false)
	size, err := pair.size(call.MaxBody, carries)
	if err != nil {
		t.Fatal(err)
	}
	images, err := pair.in(make([]byte, size))
	if err != nil {
		t.Fatal(err)
	}
	header := r.reads
	if err := source.decode(ctx, images); !errors.Is(err, context.Canceled) || r.reads != header {
		t.Errorf("%v after %d reads; the header took %d", err, r.reads, header)
	}
}

// Only so many calls are decoded at a time. Who waits may give up.
func TestDecoderWaits(t *testing.T) {
	d := newDecoder()
	for range maxDecoding {
		d.turn <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.compareFiles(ctx, &call.In[Files]{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
