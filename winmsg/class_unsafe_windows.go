package winmsg

import (
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// wndClass is a class whose windows are white and drawn anew when their size changes.
func wndClass(name *uint16, cursor windows.Handle, procedure uintptr) *winapi.WndClassEx {
	return &winapi.WndClassEx{
		Size:       uint32(unsafe.Sizeof(winapi.WndClassEx{})),
		Style:      winapi.CS_HREDRAW | winapi.CS_VREDRAW,
		WndProc:    procedure,
		Cursor:     cursor,
		Background: winapi.COLOR_WINDOW + 1,
		ClassName:  name,
	}
}
