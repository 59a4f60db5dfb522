package proctest

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32 = windows.NewLazySystemDLL("user32.dll")
	gdi32  = windows.NewLazySystemDLL("gdi32.dll")

	getClientRect          = user32.NewProc("GetClientRect")
	getDC                  = user32.NewProc("GetDC")
	releaseDC              = user32.NewProc("ReleaseDC")
	createCompatibleDC     = gdi32.NewProc("CreateCompatibleDC")
	createCompatibleBitmap = gdi32.NewProc("CreateCompatibleBitmap")
	selectObject           = gdi32.NewProc("SelectObject")
	bitBlt                 = gdi32.NewProc("BitBlt")
	getDIBits              = gdi32.NewProc("GetDIBits")
	deleteObject           = gdi32.NewProc("DeleteObject")
	deleteDC               = gdi32.NewProc("DeleteDC")
)

// bitmapInfo is BITMAPINFO for bitmaps without a palette:
//
//	typedef struct tagBITMAPINFOHEADER {
//	  DWORD biSize;
//	  LONG  biWidth;
//	  LONG  biHeight;
//	  WORD  biPlanes;
//	  WORD  biBitCount;
//	  DWORD biCompression;
//	  DWORD biSizeImage;
//	  LONG  biXPelsPerMeter;
//	  LONG  biYPelsPerMeter;
//	  DWORD biClrUsed;
//	  DWORD biClrImportant;
//	} BITMAPINFOHEADER;
type bitmapInfo struct {
	size             uint32
	width, height    int32
	planes, bitCount uint16
	compression      uint32
	sizeImage        uint32
	xPels, yPels     int32
	used, important  uint32
	_                [4]byte // the first colour of the palette
}

// Screenshot returns what a window shows: its inside, without the title bar and the
// border. The window may be another process's; nothing may lie over it.
func Screenshot(t testing.TB, window uintptr) *image.NRGBA {
	t.Helper()
	do := func(p *windows.LazyProc, args ...uintptr) uintptr {
		t.Helper()
		result, _, err := p.Call(args...)
		if result == 0 {
			t.Fatalf("%s: %v", p.Name, err)
		}
		return result
	}
	// A pointer becomes a number in the call itself and nowhere else: only that keeps what it
	// points to from lying on a stack, which can move meanwhile.
	var inside struct{ left, top, right, bottom int32 }
	if ok, _, err := getClientRect.Call(window, uintptr(unsafe.Pointer(&inside))); ok == 0 {
		t.Fatalf("%s: %v", getClientRect.Name, err)
	}
	width, height := int(inside.right), int(inside.bottom)
	if width == 0 || height == 0 {
		t.Fatalf("window %#x shows nothing: its inside is of %dx%d pixels", window, width, height)
	}
	screen := do(getDC, window)
	defer releaseDC.Call(window, screen)
	memory := do(createCompatibleDC, screen)
	defer deleteDC.Call(memory)
	bitmap := do(createCompatibleBitmap, screen, uintptr(width), uintptr(height))
	defer deleteObject.Call(bitmap)
	before := do(selectObject, memory, bitmap)
	const copySource = 0x00CC0020 // SRCCOPY
	do(bitBlt, memory, 0, 0, uintptr(width), uintptr(height), screen, 0, 0, copySource)
	do(selectObject, memory, before) // GetDIBits wants a bitmap that is in no DC

	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	info := bitmapInfo{width: int32(width), height: -int32(height), planes: 1, bitCount: 32} // negative: the first row is the uppermost
	info.size = uint32(unsafe.Offsetof(bitmapInfo{}.important) + 4)
	if rows, _, err := getDIBits.Call(screen, bitmap, 0, uintptr(height), uintptr(unsafe.Pointer(&m.Pix[0])), uintptr(unsafe.Pointer(&info)), 0); rows == 0 {
		t.Fatalf("%s: %v", getDIBits.Name, err)
	}
	for i := 0; i < len(m.Pix); i += 4 { // blue, green, red and nothing
		m.Pix[i], m.Pix[i+2], m.Pix[i+3] = m.Pix[i+2], m.Pix[i], 255
	}
	return m
}

// KeepScreenshot writes an image to a PNG file of that name in the folder that the variable
// PARTYWALL_SCREENSHOTS names, for somebody to look at. It does nothing if that is not set.
func KeepScreenshot(t testing.TB, name string, m image.Image) {
	t.Helper()
	dir := os.Getenv("PARTYWALL_SCREENSHOTS")
	if dir == "" {
		return
	}
	file, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, m); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
