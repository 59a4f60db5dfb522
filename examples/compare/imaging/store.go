package imaging

import (
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
)

// store writes a decoded picture to the frame, at the picture's own place,
// which lies inside the frame. It only ever writes to the frame's memory.
func store(frame Frame, picture image.Image) {
	if frame.Format == NRGBA16 {
		store16(frame, picture)
	} else {
		store8(frame, picture)
	}
}

func store8(frame Frame, picture image.Image) {
	bounds := picture.Bounds()
	switch p := picture.(type) {
	case *image.NRGBA:
		for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
			copy(frame.row(bounds.Min.X, y, bounds.Dx()), p.Pix[p.PixOffset(bounds.Min.X, y):])
		}
		return
	case *image.Paletted:
		storePaletted(frame, p)
		return
	case *image.YCbCr:
		if bounds.Min == (image.Point{}) { // as image/jpeg makes them
			storeYCbCr(frame, p)
			return
		}
	}
	if o, ok := picture.(interface{ Opaque() bool }); ok && o.Opaque() {
		// Where alpha is at its maximum, multiplied by alpha or not is the same,
		// and for such a target package draw has fast loops.
		target := image.RGBA{Pix: frame.Pix, Stride: frame.Stride, Rect: image.Rect(0, 0, frame.Width, frame.Height)}
		draw.Draw(&target, bounds, picture, bounds.Min, draw.Src)
		return
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		row := frame.row(bounds.Min.X, y, bounds.Dx())
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			copy(row, []byte{c.R, c.G, c.B, c.A})
			row = row[4:]
		}
	}
}

func storePaletted(frame Frame, p *image.Paletted) {
	var palette [256][4]byte // an index without a colour is transparent
	for i, c := range p.Palette[:min(len(p.Palette), len(palette))] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		palette[i] = [4]byte{n.R, n.G, n.B, n.A}
	}
	bounds := p.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		row := frame.row(bounds.Min.X, y, bounds.Dx())
		from := p.PixOffset(bounds.Min.X, y)
		for x, index := range p.Pix[from : from+bounds.Dx()] {
			copy(row[4*x:4*x+4], palette[index][:])
		}
	}
}

func store16(frame Frame, picture image.Image) {
	bounds := picture.Bounds()
	if p, ok := picture.(*image.NRGBA64); ok {
		for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
			copy(frame.row(bounds.Min.X, y, bounds.Dx()), p.Pix[p.PixOffset(bounds.Min.X, y):])
		}
		return
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		row := frame.row(bounds.Min.X, y, bounds.Dx())
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := nrgba64(picture, x, y)
			binary.BigEndian.PutUint16(row[0:], c.R)
			binary.BigEndian.PutUint16(row[2:], c.G)
			binary.BigEndian.PutUint16(row[4:], c.B)
			binary.BigEndian.PutUint16(row[6:], c.A)
			row = row[8:]
		}
	}
}

// nrgba64 is picture.At without the allocations for what the PNG decoder makes
// of 16-bit files.
func nrgba64(picture image.Image, x, y int) color.NRGBA64 {
	if p, ok := picture.(image.RGBA64Image); ok {
		if c := p.RGBA64At(x, y); c.A == 0xffff {
			return color.NRGBA64(c)
		}
	}
	return color.NRGBA64Model.Convert(picture.At(x, y)).(color.NRGBA64)
}
