package imaging

import (
	"image"
	"testing"
)

func BenchmarkCompare(b *testing.B) {
	const width, height = 1024, 1024
	left, right := mustSample(b, width, height, 0), mustSample(b, width, height, 1)
	left16, right16 := widened(left), widened(right)
	diff := mustSample(b, width, height, 0)
	for _, bb := range []struct {
		name        string
		left, right Frame
		diff        *Frame
	}{
		{"NRGBA8", left, right, nil},
		{"NRGBA8/diff", left, right, &diff},
		{"NRGBA8/equal", left, left, nil},
		{"NRGBA16", left16, right16, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.left.Pix) + len(bb.right.Pix)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compare(bb.left, bb.right, bb.diff); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSample(b *testing.B) {
	pix := make([]byte, 4<<20)
	b.SetBytes(int64(len(pix)))
	for b.Loop() {
		if _, err := Sample(pix, 1024, 1024, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStoreYCbCr(b *testing.B) {
	for _, sampling := range samplings {
		p := image.NewYCbCr(image.Rect(0, 0, 1024, 1024), sampling.ratio)
		fill(p, p.Y, p.Cb, p.Cr)
		frame := mustSample(b, 1024, 1024, 0)
		b.Run(sampling.name, func(b *testing.B) {
			b.SetBytes(int64(len(frame.Pix)))
			for b.Loop() {
				storeYCbCr(frame, p)
			}
		})
	}
}
