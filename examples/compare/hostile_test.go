package compare_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/imaging"
)

func dial(t *testing.T, expect ...call.AnyMethod) *call.Conn {
	t.Helper()
	conn, err := call.Dial(t.Context(), compare.Service, call.Expect(expect...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// ask calls with any pair and a body of any length, as a client may that means harm.
func ask(t *testing.T, conn *call.Conn, pair compare.Pair, body int) (v compare.Verdict, err error) {
	t.Helper()
	err = compare.ComparePixels.Lease(t.Context(), conn, body, func(l *call.Lease[compare.Pair, compare.Verdict]) error {
		clear(l.Body)
		*l.Arg = pair
		if err := l.Do(t.Context()); err != nil {
			return err
		}
		v = *l.Result
		return nil
	})
	return v, err
}

func picture(width, height, stride uint32) compare.Picture {
	return compare.Picture{Width: width, Height: height, Stride: stride, Format: uint32(imaging.NRGBA8)}
}

func twice(p compare.Picture) compare.Pair { return compare.Pair{Left: p, Right: p} }

// good is a pair that needs a body of 1600 bytes, and of 2400 with the difference.
var good = twice(picture(20, 10, 80))

// small is a pair that needs 120 bytes, and with the difference, which begins at 128, 188.
var small = twice(picture(5, 3, 20))

func with(difference uint32, pair compare.Pair) compare.Pair {
	pair.Difference = difference
	return pair
}

// The service believes nothing of what a client says about its images: an error, not a
// panic, and the next call is served.
func TestHostileRequests(t *testing.T) {
	p := build(t)
	p.serve(t)
	conn := dial(t)
	const huge = math.MaxUint32
	for _, tt := range []struct {
		name string
		pair compare.Pair
		body int
		want string
	}{
		{"nothing", compare.Pair{}, 0, "unknown pixel format 0"},
		{"nothing of a body", compare.Pair{}, 1600, "the body has 1600 bytes, the images need 0"},
		{"no body", good, 0, "the body has 0 bytes, the images need 1600"},
		{"a short body", good, 1599, "the body has 1599 bytes"},
		{"a long body", good, 1601, "the body has 1601 bytes"},
		{"one image", good, 800, "the body has 800 bytes"},
		{"no room for the difference", with(1, good), 1600, "the body has 1600 bytes, the images need 2400"},
		{"half the room", with(1, good), 2399, "the body has 2399 bytes"},
		{"room for nothing", good, 2400, "the body has 2400 bytes, the images need 1600"},
		{"a difference that follows at once", with(1, small), 180, "the body has 180 bytes, the images need 188"},
		{"widths that differ", compare.Pair{Left: picture(20, 10, 80), Right: picture(10, 10, 80)}, 1600, "images differ in size: left 20x10, right 10x10"},
		{"sizes that differ", compare.Pair{Left: picture(20, 10, 80), Right: picture(10, 20, 40)}, 1600, "images differ in size"},
		{"an empty image", twice(picture(0, 0, 0)), 0, "no area"},
		{"an empty difference", with(1, twice(picture(0, 0, 0))), 0, "no area"},
		{"no rows", twice(picture(20, 0, 80)), 0, "no area"},
		{"no columns", twice(picture(0, 10, 80)), 1600, "no area"},
		{"no columns of a difference", with(1, twice(picture(0, 10, 80))), 1600, "no area"},
		{"rows that overlap", twice(picture(20, 10, 79)), 1580, "left image: imaging: image: stride of 79 bytes"},
		{"rows that overlap, on the right", compare.Pair{Left: picture(20, 10, 80), Right: picture(20, 10, 79)}, 1590, "right image: imaging: image: stride"},
		{"rows that are one", twice(picture(20, 10, 0)), 0, "too few"},
		{"rows that are one, and a difference", with(1, twice(picture(20, 10, 0))), 800, "too few"},
		{"a huge stride", twice(picture(20, 10, huge)), 1600, "more than a call carries"},
		{"a huge stride on the right", compare.Pair{Left: picture(20, 10, 80), Right: picture(20, 10, huge)}, 1600, "more than a call carries"},
		{"huge sides", twice(picture(huge, huge, huge)), 1600, "more than a call carries"},
		{"a huge width", twice(picture(huge, 10, 80)), 1600, "more than a call carries"},
		{"a large width", twice(picture(1<<26, 10, 80)), 1600, "too few"},
		{"a large width, and a difference", with(1, twice(picture(300, 10, 80))), 1600 + 12000, "too few"},
		// 2^30 columns of 4 bytes are 2^32: no row at all for whoever counts in 32 bits.
		{"a width that overflows", twice(picture(1<<30, 1, 80)), 160, "too few"},
		{"negative sides", twice(picture(huge-19, 10, 80)), 1600, "more than a call carries"},
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
		}, 111218, "more than a call carries"},
		// The difference's 4*2^31*2^31 bytes are 2^64.
		{"a difference that overflows", with(1, twice(picture(1<<31, 1<<31, 0))), 0, "more than a call carries"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ask(t, conn, tt.pair, tt.body)
			remote := (*call.RemoteError)(nil)
			if !errors.As(err, &remote) || remote.Panic || !strings.Contains(remote.Message, tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	for pair, body := range map[compare.Pair]int{good: 1600, with(1, good): 2400, with(1<<31, good): 2400, with(1, small): 188} {
		if v, err := ask(t, conn, pair, body); err != nil || v.Differing != 0 || !math.IsInf(v.PSNR, 1) {
			t.Errorf("a good request after the others: %+v, %v", v, err)
		}
	}
}

// The argument lies in memory that the client may write to at any time. Whatever the
// handler meets there, it checks what it uses: the result is a verdict or an error, and
// never a panic or a dead server.
func TestHostileArgumentChanges(t *testing.T) {
	p := build(t)
	s := p.serve(t)
	conn := dial(t)
	bad := []compare.Pair{
		twice(picture(1<<20, 10, 80)),
		twice(picture(20, 1<<20, 80)),
		twice(picture(20, 10, 1<<20)),
		twice(compare.Picture{Width: 20, Height: 10, Stride: 80, Format: uint32(imaging.NRGBA16)}),
		{Left: picture(20, 10, 80), Right: picture(20, 10, 1<<26)},
		{Left: picture(10, 20, 40), Right: picture(20, 10, 80)},
		with(0, good),
		with(1<<31, good),
	}
	verdicts, refusals := 0, 0
	err := compare.ComparePixels.Lease(t.Context(), conn, 2400, func(l *call.Lease[compare.Pair, compare.Verdict]) error {
		arg, body := l.Arg, l.Body
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				*arg = bad[i%len(bad)]
				body[i%len(body)]++ // what is compared and painted changes too
				*arg = with(1, good)
			}
		}()
		defer func() { close(stop); <-stopped }()
		for range 500 {
			err := l.Do(t.Context())
			remote := (*call.RemoteError)(nil)
			switch {
			case err == nil:
				verdicts++
			case errors.As(err, &remote) && !remote.Panic:
				refusals++
			default:
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d verdicts, %d refusals", verdicts, refusals)
	if _, err := ask(t, conn, good, 1600); err != nil || conn.Peer().PID != s.Process.Pid {
		t.Errorf("a good request after the others: %v", err)
	}
}
