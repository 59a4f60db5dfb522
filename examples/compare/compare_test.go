package compare_test

import (
	"image/color"
	"image/jpeg"
	"os"
	"regexp"
	"syscall"
	"testing"
)

func TestTwoProcesses(t *testing.T) {
	p := build(t)
	p.serve(t)
	left, right := p.pair(t)
	difference := p.path("difference.png")
	got := p.run(t, "client", left, right, difference)
	// 200 of 5000 pixels are off by 10: MSE 200*10*10/5000, PSNR 10*log10(255*255/4).
	want := regexp.MustCompile(`^MSE 4\.0000, PSNR 42\.11 dB, SSIM 0\.[0-9]{4}, 200 pixels differ\n$`)
	if got.status != 0 || got.stderr != "" || !want.MatchString(got.stdout) {
		t.Fatalf("got %+v, want %v", got, want)
	}
	m := readPNG(t, difference)
	if size := m.Bounds().Size(); size.X != 100 || size.Y != 50 {
		t.Fatalf("the image of the differences is of %v", size)
	}
	for y := range 50 {
		for x := range 100 {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			red := c == color.NRGBA{230, 0, 50, 255}
			grey := c.R == c.G && c.G == c.B && c.A == 255
			if in := x >= changed.Min.X && x < changed.Max.X && y >= changed.Min.Y && y < changed.Max.Y; red != in || red == grey {
				t.Fatalf("pixel %d,%d is %v; differing: %v", x, y, c, in)
			}
		}
	}
}

func TestKindsOfFiles(t *testing.T) {
	p := build(t)
	p.serve(t)
	left, _ := p.pair(t)
	photo := p.path("left.jpg")
	file, err := os.Create(photo)
	if err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(file, readPNG(t, left), nil); err != nil {
		t.Fatal(err)
	}
	file.Close()
	want := regexp.MustCompile(`^MSE [0-9.]+, PSNR [0-9.]+ dB, SSIM [0-9.]+, [0-9]+ pixels differ\n$`)
	if got := p.run(t, "client", left, photo); got.status != 0 || !want.MatchString(got.stdout) {
		t.Errorf("PNG against JPEG: %+v", got)
	}
	if got := p.run(t, "client", left, left); got.status != 0 || got.stdout != "MSE 0.0000, PSNR +Inf dB, SSIM 1.0000, 0 pixels differ\n" {
		t.Errorf("equal images: %+v", got)
	}
}

func TestMistakes(t *testing.T) {
	p := build(t)
	left, right := p.pair(t)
	p.run(t, "client").fails(t, 2, "usage: client LEFT RIGHT")
	p.run(t, "client", left, right, "c", "d").fails(t, 2, "usage: ")
	p.run(t, "client", left, right).fails(t, 1, `"imaging"`, "not found")

	s := p.serve(t)
	p.run(t, "client", left, p.path("none.png")).fails(t, 1, "none.png", "no such file")
	p.run(t, "client", left, p.path("server")).fails(t, 1, p.path("server"), "not a PNG, JPEG or GIF image")
	p.run(t, "client", left, right, p.path("none/d.png")).stdoutThenFails(t, "none/d.png", "no such file")
	p.run(t, "server").fails(t, 1, `"imaging"`, "another process")

	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("the server that was told to end: %v", err)
	}
	p.run(t, "client", left, right).fails(t, 1, `"imaging"`, "not found")
}

// stdoutThenFails is fails for a client that could not write the last of its results.
func (f finished) stdoutThenFails(t *testing.T, wanted ...string) {
	t.Helper()
	if f.stdout == "" {
		t.Error("the figures are missing")
	}
	f.stdout = ""
	f.fails(t, 1, wanted...)
}

func TestServerKilled(t *testing.T) {
	p := build(t)
	left, right := p.pair(t)
	p.serve(t).kill()
	p.run(t, "client", left, right).fails(t, 1, `"imaging"`, "its server has ended")

	// What the dead server has left is in nobody's way.
	p.serve(t)
	if got := p.run(t, "client", left, right); got.status != 0 {
		t.Errorf("after a new start: %+v", got)
	}
}
