package main

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/imaging"
	"github.com/partywall/partywall/procmem"
	"github.com/partywall/partywall/winmsg"
)

const (
	requestSize = 384
	loanSize    = 8192
)

// picture is an image of 20x10 pixels: 800 bytes.
var picture = compare.Picture{Width: 20, Height: 10, Stride: 80, Format: uint32(imaging.NRGBA8)}

// good is a request that lies at an address, and its pixels behind it. It asks for the differences.
func good(address uint64) compare.PictureRequest {
	at := address + requestSize
	return compare.PictureRequest{
		Left:       compare.Span{Address: at, Size: 800},
		Right:      compare.Span{Address: at + 800, Size: 800},
		Difference: compare.Span{Address: at + 1600, Size: 800},
		Pair:       compare.Pair{Left: picture, Right: picture, Difference: 1},
	}
}

// ask sends a request as it is.
func ask(t *testing.T, l *winmsg.Loan, r compare.PictureRequest) (result compare.PictureRequest, err error) {
	t.Helper()
	if err := procmem.Store(l, 0, r); err != nil {
		t.Fatal(err)
	}
	answer, err := l.Send(within(t), compare.ComparePictures, requestSize, 0)
	if err == nil && answer != 0 {
		t.Errorf("the server answers %d", answer)
	}
	result, failed := procmem.Load[compare.PictureRequest](l, 0)
	if failed != nil {
		t.Fatal(failed)
	}
	return result, err
}

// checkGood checks that a good request has a good answer.
func checkGood(t *testing.T, l *winmsg.Loan) {
	t.Helper()
	got, err := ask(t, l, good(uint64(l.Address())))
	if v := got.Verdict; err != nil || v.Differing != 0 || !math.IsInf(v.PSNR, 1) || v.MSE != 0 || got.Problem[0] != 0 {
		t.Errorf("a good request: %+v, %v", got, err)
	}
}

// regionOf returns where the process has memory of a kind.
func regionOf(t *testing.T, p *procmem.Process, kind func(procmem.Region) bool) uint64 {
	t.Helper()
	regions, err := p.Regions()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range regions {
		if r.Size >= 4096 && kind(r) {
			return r.Address
		}
	}
	t.Fatal("there is no such memory")
	return 0
}

// gapIn returns the middle of a place where the process has no memory, and which is so large that
// it will not have any soon.
func gapIn(t *testing.T, p *procmem.Process) uint64 {
	t.Helper()
	regions, err := p.Regions()
	if err != nil {
		t.Fatal(err)
	}
	last := uint64(1 << 20)
	for _, r := range regions {
		if r.Address > last && r.Address-last >= 1<<32 {
			return last + (r.Address-last)/2&^4095
		}
		last = r.Address + r.Size
	}
	t.Fatal("there is no such place")
	return 0
}

// The server believes nothing of what a request says: the answer is -1, the reason is in the
// request, and the next one is served.
func TestLyingClients(t *testing.T) {
	server, w := startServer(t)
	process, err := procmem.Open(server.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	free := gapIn(t, process)
	code := regionOf(t, process, func(r procmem.Region) bool { return r.Execute })
	variables := regionOf(t, process, func(r procmem.Region) bool { return r.Write && r.Path != "" })
	reserved := regionOf(t, process, func(r procmem.Region) bool { return !r.Committed })
	const huge = math.MaxUint32
	const no = "no such memory"
	const notLent = "not committed, private memory"
	type request = compare.PictureRequest
	cases := []struct {
		name string
		lie  func(r *request)
		want string
	}{
		{"a byte too many", func(r *request) { r.Left.Size++ }, "left image: the request has 801 bytes for it, it needs 800"},
		{"a byte too few", func(r *request) { r.Right.Size-- }, "right image: the request has 799 bytes"},
		{"no pixels", func(r *request) { r.Left.Size = 0 }, "left image: the request has 0 bytes"},
		{"too large for any machine", func(r *request) { r.Left.Size = math.MaxUint64 }, "left image: the request has 18446744073709551615 bytes"},
		{"no room for the difference", func(r *request) { r.Difference.Size = 0 }, "image of the differences: the request has 0 bytes"},
		{"room for nothing", func(r *request) { r.Pair.Difference = 0 }, "image of the differences: the request has 800 bytes for it, it needs 0"},
		{"huge images", func(r *request) { r.Pair.Left.Width, r.Pair.Right.Width = huge, huge }, "more than a call carries"},
		{"a huge stride", func(r *request) { r.Pair.Left.Stride = huge }, "more than a call carries"},
		{"more than there is", func(r *request) {
			r.Pair.Left.Stride, r.Left.Size = 1<<26, 10<<26
			r.Right.Address, r.Left.Address = r.Left.Address, r.Difference.Address
			r.Pair.Difference, r.Difference.Size = 0, 0
		}, notLent},
		{"images above the limit together", func(r *request) {
			r.Pair.Left.Stride, r.Pair.Right.Stride = 1<<26, 1<<26
			r.Left.Size, r.Right.Size = 10<<26, 10<<26
		}, "a call carries at most 1024"},
		{"an unknown format", func(r *request) { r.Pair.Right.Format = 3 }, "unknown pixel format 3"},
		{"sizes that differ", func(r *request) { r.Pair.Right.Width, r.Pair.Right.Height = 10, 20 }, "images differ in size"},
		{"no area", func(r *request) {
			r.Pair = compare.Pair{}
			r.Left.Size, r.Right.Size, r.Difference.Size = 0, 0, 0
		}, "unknown pixel format 0"},
		{"rows that overlap", func(r *request) { r.Pair.Left.Stride, r.Left.Size = 79, 790 }, "stride of 79 bytes"},
		{"one memory for both", func(r *request) { r.Right = r.Left }, "right image: its memory overlaps that of the left image"},
		{"half of it for both", func(r *request) { r.Right.Address = r.Left.Address + 400 }, "overlaps that of the left image"},
		{"a difference over the left image", func(r *request) { r.Difference.Address = r.Left.Address - 799 }, "image of the differences: its memory overlaps that of the left image"},
		{"a difference over the right image's last byte", func(r *request) { r.Difference.Address = r.Right.Address + 799 }, "overlaps that of the right image"},
	}
	for _, bad := range []struct {
		name    string
		address uint64
		want    string
	}{
		{"null", 0, no},
		{"an offset", 0x180, notLent},
		{"free memory", free, notLent},
		{"reserved memory", reserved, notLent},
		{"program code", code, notLent},
		{"a program's variables", variables, notLent},
		{"the kernel's memory", 1 << 63, notLent},
		{"the last bytes", math.MaxUint64 - 7, no},
	} {
		for what, span := range map[string]func(*request) *compare.Span{
			"left":       func(r *request) *compare.Span { return &r.Left },
			"right":      func(r *request) *compare.Span { return &r.Right },
			"difference": func(r *request) *compare.Span { return &r.Difference },
		} {
			cases = append(cases, struct {
				name string
				lie  func(r *request)
				want string
			}{what + " in " + bad.name, func(r *request) { span(r).Address = bad.address }, bad.want})
		}
	}
	err = w.Lend(within(t), loanSize, func(l *winmsg.Loan) error {
		checkGood(t, l)
		for _, tt := range cases {
			r := good(uint64(l.Address()))
			tt.lie(&r)
			got, err := ask(t, l, r)
			if problem := string(got.Problem[:]); !errors.Is(err, winmsg.ErrRefused) || !strings.Contains(problem, tt.want) {
				t.Errorf("%s: %v, %q, want -1 and %q", tt.name, err, problem, tt.want)
			}
		}
		for _, size := range []uintptr{0, 16, requestSize - 1} {
			if _, err := l.Send(within(t), compare.ComparePictures, size, 0); !errors.Is(err, winmsg.ErrRefused) {
				t.Errorf("a request of %d bytes: %v", size, err)
			}
		}
		for _, address := range []uintptr{0, 0x10, uintptr(free), uintptr(code), uintptr(variables), ^(^uintptr(0) >> 1)} {
			if answer, err := w.Send(within(t), compare.ComparePictures, requestSize, address); err != nil || answer != winmsg.Refused {
				t.Errorf("a request at %#x: %d, %v", address, int(answer), err)
			}
		}
		checkGood(t, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checkServes(t, w)
}

// Memory that goes while the server uses it costs the request and nothing else.
func TestMemoryVanishes(t *testing.T) {
	server, w := startServer(t)
	process, err := procmem.Open(server.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	refused := 0
	const rounds = 100
	for i := range rounds {
		block, err := process.Alloc(loanSize)
		if err != nil {
			t.Fatal(err)
		}
		if err := procmem.Store(block, 0, good(uint64(block.Address()))); err != nil {
			t.Fatal(err)
		}
		answered := make(chan uintptr)
		go func() {
			answer, err := w.Send(within(t), compare.ComparePictures, requestSize, block.Address())
			if err != nil {
				t.Error(err)
			}
			answered <- answer
		}()
		time.Sleep(time.Duration(i) * 20 * time.Microsecond) // sooner or later meets every step
		if err := block.Close(); err != nil {
			t.Error(err)
		}
		switch answer := <-answered; answer {
		case 0:
		case winmsg.Refused:
			refused++
		default:
			t.Errorf("the server answers %d", answer)
		}
	}
	t.Logf("%d of %d requests were refused", refused, rounds)
	checkServes(t, w)
}
