package main

import (
	"image"
	"image/color"
	"path/filepath"
	"testing"
	"time"

	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/internal/proctest"
)

// dark is how many pixels of a part of an image are nearer to black than to white.
func dark(m *image.NRGBA, part image.Rectangle) (n int) {
	part = part.Intersect(m.Rect)
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y < 128 {
				n++
			}
		}
	}
	return n
}

// The window shows what a client has sent, where the text belongs.
func TestScreenshot(t *testing.T) {
	_, w := startServer(t)
	line := image.Rect(0, 50, 250, 68)
	look := func(name string, ok func(*image.NRGBA) bool) *image.NRGBA {
		t.Helper()
		for end := time.Now().Add(proctest.Watchdog); ; time.Sleep(20 * time.Millisecond) {
			m := proctest.Screenshot(t, w.Handle())
			if ok(m) || time.Now().After(end) {
				proctest.KeepScreenshot(t, name, m)
				if !ok(m) {
					t.Fatalf("%s: %d of %d pixels are dark, %d of the line's", name, dark(m, m.Rect), m.Rect.Dx()*m.Rect.Dy(), dark(m, line))
				}
				return m
			}
		}
	}
	before := look("compare-server-before", func(m *image.NRGBA) bool { return dark(m, m.Rect) == 0 })
	if size := before.Rect.Size(); size.X < 400 || size.Y < 100 {
		t.Fatalf("the window's inside is of %v", size)
	}
	checkServes(t, w)
	after := look("compare-server-after", func(m *image.NRGBA) bool { return dark(m, line) > 100 })
	if all, there := dark(after, after.Rect), dark(after, line); all != there {
		t.Errorf("%d pixels are dark, and %d of them where the text belongs", all, there)
	}
	if _, err := compare.AskInfo(within(t), w, compare.MyInfo{Red: 1, Blue: -1}); err != nil {
		t.Fatal(err)
	}
	look("compare-server-again", func(m *image.NRGBA) bool {
		return dark(m, line) > 100 && dark(m, line) != dark(after, line) && dark(m, m.Rect) == dark(m, line)
	})

	source, err := compare.Open(filepath.Join("..", "testdata", "left.png"), filepath.Join("..", "testdata", "right.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if _, err := compare.AskWindow(within(t), w, source, compare.Options{}); err != nil {
		t.Fatal(err)
	}
	figures := image.Rect(0, 80, after.Rect.Max.X, 98)
	look("compare-server-pictures", func(m *image.NRGBA) bool {
		return dark(m, figures) > 100 && dark(m, m.Rect) == dark(m, line)+dark(m, figures)
	})
}
