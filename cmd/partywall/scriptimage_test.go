package main

import (
	"encoding/binary"
	"encoding/json"
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
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// picture FILE WIDTHxHEIGHT VARIANT: write an image, of the kind that the file's
// name ends in. Variants differ by a little everywhere and a square.
func scriptPicture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: picture FILE WIDTHxHEIGHT VARIANT")
	}
	var width, height, variant int
	_, err := fmt.Sscanf(args[1]+" "+args[2], "%dx%d %d", &width, &height, &variant)
	ts.Check(err)
	m := picture(width, height, variant)
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	switch filepath.Ext(args[0]) {
	case ".png":
		ts.Check(png.Encode(file, m))
	case ".jpg":
		ts.Check(jpeg.Encode(file, m, &jpeg.Options{Quality: 85}))
	case ".gif":
		ts.Check(gif.Encode(file, m, nil))
	default:
		ts.Fatalf("picture %s: no such kind", args[0])
	}
}

func picture(width, height, variant int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := math.Sin(float64(x)/9+float64(variant)/5) * math.Cos(float64(y)/13)
			c := color.NRGBA{uint8(128 + 90*wave), uint8(x * 255 / width), uint8(y * 255 / height), 255}
			if side := width / 4; x-variant*side/2 >= side && x-variant*side/2 < 2*side && y >= side && y < 2*side {
				c = color.NRGBA{240, 240, 20, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// promise FILE WIDTHxHEIGHT: write a PNG file that is cut off after its header.
func scriptPromise(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: promise FILE WIDTHxHEIGHT")
	}
	var width, height uint32
	_, err := fmt.Sscanf(args[1], "%dx%d", &width, &height)
	ts.Check(err)
	// The signature, and the chunk IHDR: 8 bits a channel, red, green and blue.
	header := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	header = binary.BigEndian.AppendUint32(header, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 8, 2, 0, 0, 0)
	header = binary.BigEndian.AppendUint32(header, crc32.ChecksumIEEE(header[12:]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), header, 0o666))
}

// psnr FILE LEFT RIGHT: the JSON in the file has the psnr_db that ImageMagick
// prints for the images, to 0.01 dB.
func scriptPSNR(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: psnr FILE LEFT RIGHT")
	}
	var report struct {
		PSNR float64 `json:"psnr_db"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &report))
	cmd := exec.Command("compare", "-metric", "PSNR", ts.MkAbs(args[1]), ts.MkAbs(args[2]), "null:")
	cmd.Env = append(os.Environ(), "MAGICK_THREAD_LIMIT=1", "OMP_NUM_THREADS=1")
	out, err := cmd.CombinedOutput()
	// It exits with 1 if the images differ.
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		ts.Fatalf("ImageMagick's compare, from the package imagemagick, is needed: %v\n%s", err, out)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	want, err := strconv.ParseFloat(first, 64)
	ts.Check(err)
	ts.Logf("%s %s: %.4f dB, ImageMagick %.4f dB", args[1], args[2], report.PSNR, want)
	if !(math.Abs(report.PSNR-want) <= 0.01) {
		ts.Fatalf("psnr_db %v, ImageMagick says %v", report.PSNR, want)
	}
}

// reddish PNG FILE: the image has the size and as many red pixels as the JSON in the
// file says, within the box that it says.
func scriptReddish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: reddish PNG FILE")
	}
	file, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	m, err := png.Decode(file)
	ts.Check(err)
	var report demoReport
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &report))
	if size := m.Bounds().Size(); size != image.Pt(report.Width, report.Height) {
		ts.Fatalf("%s is of %v, the report says %dx%d", args[0], size, report.Width, report.Height)
	}
	red, around := uint64(0), image.Rectangle{}
	for y := range report.Height {
		for x := range report.Width {
			if r, _, b, _ := m.At(x, y).RGBA(); r != b { // all others are grey
				red++
				around = around.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	want := image.Rectangle{}
	if b := report.Box; b != nil {
		want = image.Rect(int(b.X), int(b.Y), int(b.X+b.Width), int(b.Y+b.Height))
	}
	if red != report.Differing || around != want {
		ts.Fatalf("%s has %d red pixels in %v, the report says %d in %v", args[0], red, around, report.Differing, want)
	}
}
