package main

import (
	"fmt"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/partywall/partywall/examples/compare"
)

// Whatever way the images take to the server, and on whatever system, the figures are these.
var figures = []struct {
	left, right string
	prints      string
	verdict     string // ten digits of each
}{
	{"left.png", "right.png", "MSE 336.0637, PSNR 22.87 dB, SSIM 0.9206, 1622 pixels differ", "MSE 336.0636632, PSNR 22.86658804, SSIM 0.9205638724, 1622 pixels in 0,0 to 160,120"},
	{"right.png", "left.png", "MSE 336.0637, PSNR 22.87 dB, SSIM 0.9206, 1622 pixels differ", "MSE 336.0636632, PSNR 22.86658804, SSIM 0.9205638724, 1622 pixels in 0,0 to 160,120"},
	{"left.png", "right.jpg", "MSE 394.7388, PSNR 22.17 dB, SSIM 0.9172, 19024 pixels differ", "MSE 394.7387847, PSNR 22.16770561, SSIM 0.9172378989, 19024 pixels in 0,0 to 160,120"},
	{"left16.png", "right.png", "MSE 335.4404, PSNR 22.87 dB, SSIM 0.9205, 19148 pixels differ", "MSE 335.4403878, PSNR 22.87465009, SSIM 0.9205204836, 19148 pixels in 0,0 to 160,120"},
	{"left.png", "left.png", "MSE 0.0000, PSNR +Inf dB, SSIM 1.0000, 0 pixels differ", "MSE 0, PSNR +Inf, SSIM 1, 0 pixels in 0,0 to 0,0"},
}

func testdata(name string) string { return filepath.Join("..", "testdata", name) }

func TestFigures(t *testing.T) {
	p, args, ask := serveHere(t)
	for _, tt := range figures {
		t.Run(tt.left+" "+tt.right, func(t *testing.T) {
			difference := filepath.Join(t.TempDir(), "difference.png")
			want := finished{0, tt.prints + "\n", ""}
			for _, files := range [][]string{{testdata(tt.left), testdata(tt.right)}, {testdata(tt.left), testdata(tt.right), difference}} {
				if got := p.client(t, append(args, files...)...); got != want {
					t.Errorf("the client with %d files: %+v, want %+v", len(files), got, want)
				}
			}
			source, err := compare.Open(testdata(tt.left), testdata(tt.right))
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			v, err := ask(t, source)
			got := fmt.Sprintf("MSE %.10g, PSNR %.10g, SSIM %.10g, %d pixels in %d,%d to %d,%d", v.MSE, v.PSNR, v.SSIM, v.Differing, v.MinX, v.MinY, v.MaxX, v.MaxY)
			if err != nil || got != tt.verdict {
				t.Errorf("got %s, %v, want %s", got, err, tt.verdict)
			}
			if red := redPixels(t, difference); red != v.Differing {
				t.Errorf("%d pixels of the difference are red, want %d", red, v.Differing)
			}
		})
	}
}

// redPixels counts the pixels that an image of differences shows as differing.
func redPixels(t *testing.T, path string) (n uint64) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if color.NRGBAModel.Convert(m.At(x, y)) == (color.NRGBA{230, 0, 50, 255}) {
				n++
			}
		}
	}
	return n
}
