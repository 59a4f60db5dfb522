package compare_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/trace"
)

// here serves in this process.
func here(t *testing.T) *call.Conn {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	return calltest.Start(t, compare.Handle, call.Quota(compare.Quota)).Dial()
}

func TestFits(t *testing.T) {
	for _, tt := range []struct {
		width, height int
		difference    bool
		want          string
	}{
		{1, 1, true, ""},
		{8192, 16384, false, ""}, // 1 GiB
		{8192, 16385, false, "images of 8192x16385 pixels: the two need 1024 MiB, a call carries at most 1024"},
		{8192, 10922, true, ""},
		{8192, 16384, true, "images of 8192x16384 pixels: the two and the image of their differences need 1536 MiB, a call carries at most 1024; the two alone need 1024"},
		{16384, 16384, true, "images of 16384x16384 pixels: the two and the image of their differences need 3072 MiB, a call carries at most 1024"},
	} {
		source, err := compare.Sample(tt.width, tt.height)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := source.Fits(tt.difference); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%dx%d, difference %v: %q, want %q", tt.width, tt.height, tt.difference, got, tt.want)
		}
	}
	for _, side := range []int{0, -1, 16385, 1 << 30} {
		if _, err := compare.Sample(side, 16384); err == nil {
			t.Errorf("images of %dx16384 pixels", side)
		}
	}
}

// Neither side has a copy of the pixels: what both allocate together, since they are one
// process here, is next to nothing.
func TestNoCopy(t *testing.T) {
	conn := here(t)
	source, err := compare.Sample(2000, 1500)
	if err != nil {
		t.Fatal(err)
	}
	red := 0
	options := compare.Options{Difference: func(m *image.NRGBA) error {
		for i := 0; i < len(m.Pix); i += 4 {
			if m.Pix[i+1] == 0 {
				red++
			}
		}
		return nil
	}}
	for _, cold := range []bool{true, false} {
		red = 0
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := compare.Ask(t.Context(), conn, source, options)
		runtime.ReadMemStats(&after)
		if err != nil || v.Differing == 0 || uint64(red) != v.Differing {
			t.Fatalf("%+v, %v; %d pixels are red", v, err, red)
		}
		const most = 2 << 20 // of 36 million bytes of pixels
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("cold: %v, %d bytes were allocated, want at most %d", cold, n, most)
		}
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// opened is a source of two files, whose names it returns too.
func opened(t *testing.T) (source *compare.Source, left, right string) {
	t.Helper()
	left, right = filepath.Join(t.TempDir(), "left"), filepath.Join(t.TempDir(), "right")
	write(t, left, encoded(t, "png", 200, 100, 1))
	write(t, right, encoded(t, "jpeg", 200, 100, 2))
	source, err := compare.Open(left, right)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	return source, left, right
}

func TestSourceCloses(t *testing.T) {
	conn := here(t)
	source, left, _ := opened(t)
	for range 2 {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := compare.Ask(t.Context(), conn, source, compare.Options{})
	if !errors.Is(err, os.ErrClosed) || !strings.HasPrefix(err.Error(), left+": ") {
		t.Errorf("got %v, want %v", err, os.ErrClosed)
	}
}

func TestSteps(t *testing.T) {
	conn := here(t)
	source, _, _ := opened(t)
	var steps []string
	full := errors.New("the disk is full")
	_, err := compare.Ask(t.Context(), conn, source, compare.Options{
		Step:       func(name string) { steps = append(steps, name) },
		Difference: func(*image.NRGBA) error { return full },
	})
	if err != full {
		t.Errorf("got %v, want %v", err, full)
	}
	if d := cmp.Diff([]string{"lease shared memory", "decode two files", "call: pixels"}, steps); d != "" {
		t.Error(d)
	}
}

// Whoever gives up has what there is of a decoder's work ended, and the conn is as good as
// before.
func TestAskGivesUp(t *testing.T) {
	conn := here(t)
	source, _, _ := opened(t)
	drawn, err := compare.Sample(200, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []*compare.Source{source, drawn} {
		for at := range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			_, err := compare.Ask(ctx, conn, source, compare.Options{Step: func(string) {
				if at--; at < 0 {
					cancel()
				}
			}})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
		}
	}
	if _, err := compare.Ask(t.Context(), conn, drawn, compare.Options{}); err != nil {
		t.Error(err)
	}
}

// A file that changes once its header has been read spoils nothing but this call.
func TestFileChanges(t *testing.T) {
	conn := here(t)
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"smaller", encoded(t, "png", 100, 100, 1), "it was 200x100 NRGBA8, and has become 100x100 NRGBA8"},
		{"turned", encoded(t, "png", 100, 200, 1), "it was 200x100 NRGBA8, and has become 100x200 NRGBA8"},
		{"larger", encoded(t, "png", 300, 300, 1), "80000 bytes of memory are too few for 300x300 NRGBA8"},
		{"empty", nil, "not a PNG, JPEG or GIF image"},
	} {
		source, left, right := opened(t)
		for _, path := range []string{right, left} {
			write(t, path, tt.data)
			if _, err := compare.Ask(t.Context(), conn, source, compare.Options{}); err == nil ||
				!strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %s: ... %s", tt.name, err, path, tt.want)
			}
		}
	}
}

// What the handlers say reaches the log of a server that traces, with the request's id.
func TestHandlersLog(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	var said bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&said, nil))
	s := calltest.Start(t, compare.Handle, call.Intercept(trace.Server(logger)))
	conn := s.Dial()
	source, _, _ := opened(t)
	if _, err := compare.Ask(t.Context(), conn, source, compare.Options{}); err != nil {
		t.Fatal(err)
	}
	file := encoded(t, "png", 30, 20, 1)
	if _, err := compare.Compare.Call(t.Context(), conn, compare.Files{Left: file, Right: file}); err != nil {
		t.Fatal(err)
	}
	if err := s.Server().Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log(said.String())
	for _, want := range []string{
		`msg="comparing pixels" request=[A-Z2-7]{26} left="200x100 NRGBA8" right="200x100 NRGBA8"`,
		`msg="decoding files" request=[A-Z2-7]{26} left="30x20 NRGBA8" right="30x20 NRGBA8"`,
	} {
		if !regexp.MustCompile(want).MatchString(said.String()) {
			t.Errorf("want %s", want)
		}
	}
}
