package imaging

import (
	"math"
	"strings"
	"testing"
)

func mustSample(t testing.TB, width, height, variant int) Frame {
	t.Helper()
	frame, err := Sample(nil, width, height, variant)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// widened is an NRGBA8 frame as NRGBA16.
func widened(f Frame) Frame {
	wide := Frame{Width: f.Width, Height: f.Height, Stride: 2 * f.Stride, Format: NRGBA16, Pix: make([]byte, 2*len(f.Pix))}
	for i, v := range f.Pix {
		wide.Pix[2*i], wide.Pix[2*i+1] = v, v
	}
	return wide
}

func TestHeaderSize(t *testing.T) {
	for _, tt := range []struct {
		header Header
		want   int
		err    string
	}{
		{Header{1, 1, NRGBA8}, 4, ""},
		{Header{640, 480, NRGBA16}, 640 * 480 * 8, ""},
		{Header{1 << 14, 1 << 14, NRGBA8}, 1 << 30, ""},
		{Header{1<<14 + 1, 1 << 14, NRGBA8}, 0, "exceeds the limit of 1024 MiB"},
		{Header{1 << 14, 1 << 14, NRGBA16}, 0, "exceeds the limit of 1024 MiB"},
		{Header{math.MaxInt, math.MaxInt, NRGBA8}, 0, "exceeds the limit of 1024 MiB"},
		{Header{0, 5, NRGBA8}, 0, "0x5 pixels has no area"},
		{Header{5, -1, NRGBA8}, 0, "5x-1 pixels has no area"},
		{Header{5, 5, 0}, 0, "unknown pixel format 0"},
	} {
		got, err := tt.header.Size()
		if got != tt.want || !matches(err, tt.err) {
			t.Errorf("%v: %d, %v; want %d, %q", tt.header, got, err, tt.want, tt.err)
		}
	}
}

// matches reports whether err is nil if text is empty, else whether it contains
// it.
func matches(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

func TestHeaderFrame(t *testing.T) {
	header := Header{3, 2, NRGBA8}
	if _, err := header.Frame(make([]byte, 23)); !matches(err, "23 bytes of memory are too few for 3x2 NRGBA8, which needs 24") {
		t.Error(err)
	}
	pix := make([]byte, 30)
	frame, err := header.Frame(pix)
	if err != nil {
		t.Fatal(err)
	}
	if frame.Stride != 12 || len(frame.Pix) != 24 || cap(frame.Pix) != 24 || &frame.Pix[0] != &pix[0] {
		t.Errorf("%+v", frame)
	}
	if err := frame.Check(); err != nil {
		t.Error(err)
	}
}

func TestFrameCheck(t *testing.T) {
	pix := make([]byte, 100)
	for _, tt := range []struct {
		name  string
		frame Frame
		err   string
	}{
		{"tight", Frame{5, 5, 20, NRGBA8, pix}, ""},
		{"gaps, short last row", Frame{4, 4, 28, NRGBA8, pix}, ""},
		{"one byte short", Frame{5, 5, 20, NRGBA8, pix[:99]}, "99 bytes are too few for 5x5 NRGBA8 with a stride of 20"},
		{"no area", Frame{0, 5, 20, NRGBA8, pix}, "image of 0x5 pixels has no area"},
		{"negative", Frame{5, math.MinInt, 20, NRGBA8, pix}, "has no area"},
		{"format", Frame{5, 5, 20, 7, pix}, "unknown pixel format 7"},
		{"no pixels", Frame{5, 5, 20, NRGBA8, nil}, "0 bytes are too few for one row"},
		{"row too long", Frame{26, 1, 104, NRGBA8, pix}, "too few for one row"},
		{"rows overlap", Frame{5, 5, 19, NRGBA8, pix}, "stride of 19 bytes is shorter than a row of 5x5 NRGBA8"},
		{"stride 0", Frame{5, 5, 0, NRGBA8, pix}, "stride of 0 bytes"},
		{"negative stride", Frame{5, 5, -20, NRGBA8, pix}, "stride of -20 bytes"},
		{"stride*height overflows", Frame{1, 1 << 30, 1 << 30, NRGBA8, pix}, "too few"},
		{"all at the limit", Frame{math.MaxInt, math.MaxInt, math.MaxInt, NRGBA16, pix}, "too few for one row"},
		{"huge stride, one row", Frame{25, 1, math.MaxInt, NRGBA8, pix}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.frame.Check(); !matches(err, tt.err) {
				t.Errorf("%v, want %q", err, tt.err)
			}
			if _, err := Compare(tt.frame, tt.frame, nil); (err == nil) != (tt.err == "") {
				t.Errorf("Compare: %v, want %q", err, tt.err)
			}
		})
	}
}
