package compare_test

import (
	"fmt"
	"image/color"
	"image/jpeg"
	"os"
	"regexp"
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
	p.run(t, "client").fails(t, 2, "usage: client [-v] LEFT RIGHT")
	p.run(t, "client", left, right, "c", "d").fails(t, 2, "usage: ")
	p.run(t, "client", left, right).fails(t, 1, `"compare"`, "not found")

	s := p.serve(t)
	p.run(t, "client", left, p.path("none.png")).fails(t, 1, "none.png", "no such file")
	p.run(t, "client", left, program("server")).fails(t, 1, program("server"), "not a PNG, JPEG or GIF image")
	p.run(t, "client", left, right, p.path("none/d.png")).fails(t, 1, "none/d.png", "no such file")
	p.run(t, "server").fails(t, 1, "the server has failed", `\"compare\"`, "another process")
	s.end()
	p.run(t, "client", left, right).fails(t, 1, `"compare"`, "not found")
}

// Both processes log a call, and what the handler says of it, with one id.
func TestLogs(t *testing.T) {
	p := build(t)
	s := p.serve(t)
	left, right := p.pair(t)
	got := p.run(t, "client", "-v", left, right)
	s.end()
	client := regexp.MustCompile(`^time=\S+ level=INFO msg=call request=([A-Z2-7]{26}) method=compare.pixels server="process ([0-9]+) of user [0-9]+" took=\S+\n$`)
	said := client.FindStringSubmatch(got.stderr)
	if got.status != 0 || said == nil || said[2] != fmt.Sprint(s.Process.Pid) {
		t.Fatalf("%+v; the server is process %d", got, s.Process.Pid)
	}
	for i, want := range []string{
		` level=INFO msg=serving service=compare$`,
		` level=INFO msg="comparing pixels" request=` + said[1] + ` left="100x50 NRGBA8" right="100x50 NRGBA8"$`,
		` level=INFO msg=call request=` + said[1] + ` method=compare.pixels client="process [0-9]+ of user [0-9]+" took=\S+$`,
		`^$`,
	} {
		if line := append(s.log.lines(), "")[i]; !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("the server says %q, want %s", line, want)
		}
	}
}

func TestServerKilled(t *testing.T) {
	p := build(t)
	left, right := p.pair(t)
	p.serve(t).kill()
	p.run(t, "client", left, right).fails(t, 1, `"compare"`, "its server has ended")

	// What the dead server has left is in nobody's way.
	p.serve(t)
	if got := p.run(t, "client", left, right); got.status != 0 {
		t.Errorf("after a new start: %+v", got)
	}
}
