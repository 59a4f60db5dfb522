package imaging

import (
	"bytes"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// magick is an installed ImageMagick.
type magick struct {
	dir   string
	seven bool // it counts alpha differently from version 6
}

func findMagick(t *testing.T) magick {
	t.Helper()
	path, err := exec.LookPath("compare")
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Fatalf("ImageMagick's compare, which PSNR is checked against, is not installed (Debian: apt-get install imagemagick): %v", err)
		}
		t.Skipf("ImageMagick's compare is not installed: %v", err)
	}
	version, err := exec.Command(path, "-version").CombinedOutput()
	if err != nil || !bytes.Contains(version, []byte("ImageMagick")) {
		t.Fatalf("%s is not ImageMagick's: %v\n%s", path, err, version)
	}
	return magick{filepath.Dir(path), bytes.Contains(version, []byte("ImageMagick 7"))}
}

// command is one of ImageMagick's programs, told not to spread over processors
// that the tests of other packages need.
func (m magick) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(m.dir, name), args...)
	cmd.Env = append(os.Environ(), "MAGICK_THREAD_LIMIT=1", "OMP_NUM_THREADS=1")
	return cmd
}

// psnr runs compare -metric PSNR. It exits with 1 if the images differ, in
// version 6 also if they do not.
func (m magick) psnr(t *testing.T, left, right string) float64 {
	t.Helper()
	cmd := m.command("compare", "-metric", "PSNR", left, right, "null:")
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && (!asExit(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if first == "inf" || first == "1.#INF" {
		return math.Inf(1)
	}
	v, err := strconv.ParseFloat(first, 64)
	if err != nil {
		t.Fatalf("%v printed %q", cmd, out)
	}
	return v
}

func asExit(err error, target **exec.ExitError) bool {
	exit, ok := err.(*exec.ExitError)
	*target = exit
	return ok
}

// convert rewrites a file. The program lies beside compare; what the name finds
// elsewhere may be another one.
func (m magick) convert(t *testing.T, from string, to string, options ...string) {
	t.Helper()
	m.run(t, append(append([]string{from}, options...), to)...)
}

// run is convert with its arguments in any order.
func (m magick) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := m.command("convert", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

func decodeFile(t *testing.T, path string) Frame {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	frame, err := Decode(file, nil)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return frame
}

// writeImage writes a file of the kind that its name ends in.
func writeImage(t *testing.T, path string, m image.Image, quality int) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	switch filepath.Ext(path) {
	case ".png":
		err = png.Encode(file, m)
	case ".gif":
		err = gif.Encode(file, m, nil)
	case ".jpg":
		err = jpeg.Encode(file, m, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// asImage is a frame as an image of the standard library.
func asImage(f Frame) image.Image {
	if f.Format == NRGBA16 {
		return &image.NRGBA64{Pix: f.Pix, Stride: f.Stride, Rect: image.Rect(0, 0, f.Width, f.Height)}
	}
	return &image.NRGBA{Pix: f.Pix, Stride: f.Stride, Rect: image.Rect(0, 0, f.Width, f.Height)}
}

func TestPSNRAgainstImageMagick(t *testing.T) {
	m := findMagick(t)
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			if m.seven && kind.only6 {
				t.Skip("ImageMagick 7 counts alpha as a channel of its own; the reference is version 6")
			}
			worst, low, high := 0.0, math.Inf(1), 0.0
			for _, size := range []image.Point{{1, 1}, {13, 7}, {64, 48}, {161, 97}} {
				dir := t.TempDir()
				left, right := filepath.Join(dir, "left"), filepath.Join(dir, "right")
				left, right = kind.write(t, m, left, size, 0), kind.write(t, m, right, size, 1)
				got, err := Compare(decodeFile(t, left), decodeFile(t, right), nil)
				if err != nil {
					t.Fatal(err)
				}
				want := m.psnr(t, left, right)
				if !near(got.PSNR, want, 0.01) {
					t.Errorf("%v: %v dB, ImageMagick says %v", size, got.PSNR, want)
				}
				if !math.IsInf(want, 1) {
					worst = max(worst, math.Abs(got.PSNR-want))
					low, high = min(low, want), max(high, want)
				}
			}
			t.Logf("%.1f to %.1f dB, largest difference %.5f dB", low, high, worst)
		})
	}
}

// Where ImageMagick stops counting although pixels differ: see Result.PSNR.
func TestPSNRBeyondImageMagick(t *testing.T) {
	m := findMagick(t)
	for _, tt := range []struct {
		width, height int
		magick        float64
	}{
		{2, 3, 108.882},
		{2, 4, 110}, // 110.13
		{8, 9, 110}, // 119.67
		{9, 9, math.Inf(1)},
		{64, 64, math.Inf(1)},
	} {
		left := widened(mustSample(t, tt.width, tt.height, 0))
		right := widened(mustSample(t, tt.width, tt.height, 0))
		right.Pix[8*4+1] ^= 1 // one channel of one pixel by one
		want := 10 * math.Log10(3*float64(tt.width*tt.height)*65535*65535)
		got := mustCompare(t, left, right)
		if !near(got.PSNR, want, 1e-6) || got.Differing != 1 {
			t.Errorf("%+v, want %v dB", got, want)
		}
		if m.seven {
			continue
		}
		leftFile, rightFile := filepath.Join(t.TempDir(), "left.png"), filepath.Join(t.TempDir(), "right.png")
		writeImage(t, leftFile, asImage(left), 0)
		writeImage(t, rightFile, asImage(right), 0)
		if im := m.psnr(t, leftFile, rightFile); !near(im, tt.magick, 0.001) {
			t.Errorf("%dx%d: ImageMagick says %v dB, the documentation %v", tt.width, tt.height, im, tt.magick)
		}
	}
}
