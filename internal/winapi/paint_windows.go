package winapi

import "golang.org/x/sys/windows"

// Text in a window.

//sys	BeginPaint(window windows.HWND, paint *PaintStruct) (dc windows.Handle, err error) = user32.BeginPaint
//sys	EndPaint(window windows.HWND, paint *PaintStruct) = user32.EndPaint
//sys	InvalidateRect(window windows.HWND, rect uintptr, erase bool) (err error) = user32.InvalidateRect
//sys	TextOut(dc windows.Handle, x int32, y int32, text *uint16, length int32) (err error) = gdi32.TextOutW

// PaintStruct is PAINTSTRUCT:
//
//	typedef struct tagPAINTSTRUCT {
//	  HDC  hdc;
//	  BOOL fErase;
//	  RECT rcPaint;
//	  BOOL fRestore;
//	  BOOL fIncUpdate;
//	  BYTE rgbReserved[32];
//	} PAINTSTRUCT;
type PaintStruct struct {
	DC        windows.Handle
	Erase     int32
	Rect      [4]int32
	Restore   int32
	IncUpdate int32
	Reserved  [32]byte
}
