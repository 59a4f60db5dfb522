package compare_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
)

// encoded is an image as a file of a kind. Variants differ.
func encoded(t *testing.T, kind string, width, height, variant int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x * 5), uint8(y * 7), uint8((x + y) * variant), 255})
		}
	}
	var file bytes.Buffer
	var err error
	switch kind {
	case "png":
		err = png.Encode(&file, m)
	case "png16":
		wide := image.NewNRGBA64(m.Rect)
		for i, v := range m.Pix {
			wide.Pix[2*i], wide.Pix[2*i+1] = v, byte(i)
		}
		err = png.Encode(&file, wide)
	case "jpeg":
		err = jpeg.Encode(&file, m, nil)
	case "gif":
		err = gif.Encode(&file, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// sameBits compares verdicts to the last bit; NaN is NaN.
var sameBits = cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })

// Both methods find the same in the same files, to the last bit and pixel.
func TestFilesAsPixels(t *testing.T) {
	p := build(t)
	p.serve(t)
	conn := dial(t, compare.Compare, compare.ComparePixels)
	for _, kinds := range [][2]string{{"png", "png"}, {"png", "jpeg"}, {"gif", "jpeg"}, {"png16", "png"}, {"png16", "png16"}} {
		for _, size := range []image.Point{{1, 1}, {10, 40}, {83, 61}} {
			t.Run(kinds[0]+" "+kinds[1]+" "+size.String(), func(t *testing.T) {
				files := compare.Files{
					Left:  encoded(t, kinds[0], size.X, size.Y, 1),
					Right: encoded(t, kinds[1], size.X, size.Y, 2),
				}
				left, right := filepath.Join(t.TempDir(), "left"), filepath.Join(t.TempDir(), "right")
				for path, data := range map[string][]byte{left: files.Left, right: files.Right} {
					if err := os.WriteFile(path, data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				source, err := compare.Open(left, right)
				if err != nil {
					t.Fatal(err)
				}
				defer source.Close()
				var want bytes.Buffer
				verdict, err := compare.Ask(t.Context(), conn, source, compare.Options{
					Difference: func(m *image.NRGBA) error { return png.Encode(&want, m) },
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, files.Difference = range []bool{false, true} {
					got, body, err := compare.Compare.CallBody(t.Context(), conn, files, nil, nil)
					if err != nil {
						t.Fatal(err)
					}
					if d := cmp.Diff(verdict, got, sameBits); d != "" {
						t.Error(d)
					}
					if !files.Difference {
						if len(body) != 0 {
							t.Errorf("%d bytes come that nobody has asked for", len(body))
						}
						continue
					}
					if d := cmp.Diff(pixels(t, want.Bytes()), pixels(t, body)); d != "" {
						t.Error(d)
					}
				}
			})
		}
	}
}

// pixels decodes a PNG file.
func pixels(t *testing.T, file []byte) *image.NRGBA {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	plain := image.NewNRGBA(m.Bounds())
	for y := range plain.Rect.Dy() {
		for x := range plain.Rect.Dx() {
			plain.Set(x, y, m.At(x, y))
		}
	}
	return plain
}

// promise is a PNG file that ends after a header with that size.
func promise(width, height uint32) []byte {
	header := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	header = binary.BigEndian.AppendUint32(header, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 8, 2, 0, 0, 0)
	return binary.BigEndian.AppendUint32(header, crc32.ChecksumIEEE(header[12:]))
}

// A small file can promise what no machine has. It is refused by its header.
func TestHostileFiles(t *testing.T) {
	p := build(t)
	s := p.serve(t)
	conn := dial(t, compare.Compare)
	fine := encoded(t, "png", 20, 10, 1)
	for _, tt := range []struct {
		name        string
		left, right []byte
		difference  bool
		want        string
	}{
		{"nothing", nil, nil, false, "left: imaging: not a PNG, JPEG or GIF image"},
		{"one file", fine, nil, false, "right: imaging: not a PNG, JPEG or GIF image"},
		{"text", fine, []byte("P6 20 10 255"), false, "right: imaging: not a PNG, JPEG or GIF image"},
		{"a file cut short", fine[:len(fine)-20], fine, false, "left: imaging: bad png image"},
		{"a header alone", fine, promise(20, 10), true, "right: imaging: bad png image"},
		{"sizes that differ", fine, encoded(t, "gif", 10, 20, 1), true, "images differ in size: left is 20x10, right is 10x20"},
		{"an image without area", promise(0, 10), promise(0, 10), false, "left: imaging: "},
		{"a bomb", promise(100_000, 100_000), fine, true, "left: imaging: "},
		{"a bomb on the right", fine, promise(30_000, 30_000), true, "right: imaging: "},
		{"a GIF bomb", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00"), fine, false, "left: imaging: image of 65535x65535 pixels, 4 bytes each, exceeds the limit of 1024 MiB"},
		{"two that are a bomb", promise(10_000, 10_000), promise(10_000, 10_000), false, "images of 10000x10000 pixels: the two need 762 MiB, the service decodes at most 512"},
		{"three that are a bomb", promise(8000, 8000), promise(8000, 8000), true, "images of 8000x8000 pixels: the two and the image of their differences need 732 MiB, the service decodes at most 512; the two alone need 488"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := compare.Files{Left: tt.left, Right: tt.right, Difference: tt.difference}
			_, body, err := compare.Compare.CallBody(t.Context(), conn, files, nil, nil)
			remote := (*call.RemoteError)(nil)
			if !errors.As(err, &remote) || remote.Panic || !strings.Contains(remote.Message, tt.want) || len(body) != 0 {
				t.Errorf("got %v and %d bytes, want an error with %q", err, len(body), tt.want)
			}
		})
	}
	if peak := peakMemory(t, s.Process.Pid); peak > 256<<20 {
		t.Errorf("the server's memory has been %d MiB", peak>>20)
	}
	if v, err := compare.Compare.Call(t.Context(), conn, compare.Files{Left: fine, Right: fine}); err != nil || !math.IsInf(v.PSNR, 1) {
		t.Errorf("two good files after the others: %+v, %v", v, err)
	}
}

// peakMemory is the most memory that a process has had at once, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
