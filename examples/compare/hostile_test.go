package compare_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/imaging"
)

func dial(t *testing.T) *call.Conn {
	t.Helper()
	conn, err := call.Dial(t.Context(), compare.Service, call.Expect(compare.Compare))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// The service believes nothing of what a client says about its images: an error, not a
// panic, and the next call is served.
func TestHostileRequests(t *testing.T) {
	p := build(t)
	p.serve(t)
	conn := dial(t)
	picture := func(width, height, stride uint32) compare.Picture {
		return compare.Picture{Width: width, Height: height, Stride: stride, Format: uint32(imaging.NRGBA8)}
	}
	twice := func(p compare.Picture) compare.Pair { return compare.Pair{Left: p, Right: p} }
	good := twice(picture(20, 10, 80))
	const huge = math.MaxUint32
	for _, tt := range []struct {
		name string
		pair compare.Pair
		body int
		want string
	}{
		{"nothing", compare.Pair{}, 0, "unknown pixel format 0"},
		{"no body", good, 0, "the body has 0 bytes"},
		{"a short body", good, 1599, "the body has 1599 bytes, the two images need 800 and 800"},
		{"a long body", good, 1601, "the body has 1601 bytes"},
		{"one image", good, 800, "the body has 800 bytes"},
		{"sizes that differ", compare.Pair{Left: picture(20, 10, 80), Right: picture(10, 20, 40)}, 1600, "images differ in size"},
		{"an empty image", twice(picture(0, 0, 0)), 0, "no area"},
		{"no rows", twice(picture(20, 0, 80)), 0, "no area"},
		{"no columns", twice(picture(0, 10, 80)), 1600, "no area"},
		{"rows that overlap", twice(picture(20, 10, 79)), 1580, "stride"},
		{"rows that are one", twice(picture(20, 10, 0)), 0, "too few"},
		{"a huge stride", twice(picture(20, 10, huge)), 1600, "the body has 1600 bytes"},
		{"huge sides", twice(picture(huge, huge, huge)), 1600, "the body has 1600 bytes"},
		{"a huge width", twice(picture(huge, 10, 80)), 1600, "too few"},
		// 2^30 columns of 4 bytes are 2^32: no row at all for whoever counts in 32 bits.
		{"a width that overflows", twice(picture(1<<30, 10, 80)), 1600, "too few"},
		{"negative sides", twice(picture(huge-19, 10, 80)), 1600, "too few"},
		{"an unknown format", compare.Pair{
			Left:  compare.Picture{Width: 20, Height: 10, Stride: 80, Format: 3},
			Right: picture(20, 10, 80),
		}, 1600, "left image: imaging: image has the unknown pixel format 3"},
		{"a format that needs more", compare.Pair{
			Left:  picture(20, 10, 80),
			Right: compare.Picture{Width: 20, Height: 10, Stride: 80, Format: uint32(imaging.NRGBA16)},
		}, 1600, "right image: "},
		// The images' sizes add up to 2^64 and 111218 bytes.
		{"a sum that overflows", compare.Pair{
			Left:  picture(20, 1<<31+23170, huge),
			Right: picture(20, 1<<31+23170, 1<<33-92679-huge),
		}, 111218, "the body has 111218 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, difference := range []bool{false, true} {
				tt.pair.Difference = difference
				_, body, err := compare.Compare.CallBody(t.Context(), conn, tt.pair, make([]byte, tt.body), nil)
				remote := (*call.RemoteError)(nil)
				if !errors.As(err, &remote) || remote.Panic || !strings.Contains(remote.Message, tt.want) {
					t.Errorf("got %v, want an error with %q", err, tt.want)
				}
				if len(body) > 0 {
					t.Errorf("%d bytes come with the error", len(body))
				}
			}
		})
	}
	v, _, err := compare.Compare.CallBody(context.Background(), conn, good, make([]byte, 1600), nil)
	if err != nil || v.Differing != 0 || v.SSIM == 0 {
		t.Errorf("a good request after the others: %+v, %v", v, err)
	}
}
