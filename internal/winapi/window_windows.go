package winapi

import "golang.org/x/sys/windows"

// Windows.

// EnumWindows is in x/sys with a pointer for the number; a number in a pointer ends the
// program when a stack that has it is moved.

//sys	EnumWindows(visit uintptr, number uintptr) (err error) = user32.EnumWindows
//sys	FindWindowEx(parent windows.HWND, after windows.HWND, class *uint16, title *uint16) (window windows.HWND, err error) = user32.FindWindowExW
//sys	InternalGetWindowText(window windows.HWND, text *uint16, most int32) (length int32, err error) = user32.InternalGetWindowText
//sys	SetWindowText(window windows.HWND, text *uint16) (err error) = user32.SetWindowTextW
//sys	IsHungAppWindow(window windows.HWND) (hung bool) = user32.IsHungAppWindow
//sys	RegisterClassEx(class *WndClassEx) (atom uint16, err error) = user32.RegisterClassExW
//sys	CreateWindowEx(exStyle uint32, class *uint16, title *uint16, style uint32, x int32, y int32, width int32, height int32, parent windows.HWND, menu windows.Handle, instance windows.Handle, param uintptr) (window windows.HWND, err error) = user32.CreateWindowExW
//sys	DestroyWindow(window windows.HWND) (err error) = user32.DestroyWindow
//sys	DefWindowProc(window windows.HWND, message uint32, wParam uintptr, lParam uintptr) (result uintptr) = user32.DefWindowProcW
//sys	ShowWindow(window windows.HWND, command int32) (wasVisible bool) = user32.ShowWindow
//sys	AllowSetForegroundWindow(pid uint32) (err error) = user32.AllowSetForegroundWindow
//sys	SetFocus(window windows.HWND) (before windows.HWND, err error) = user32.SetFocus
//sys	LoadCursor(instance windows.Handle, name uintptr) (cursor windows.Handle, err error) = user32.LoadCursorW

// HWND_MESSAGE is the parent of message-only windows: -3.
const HWND_MESSAGE = ^windows.HWND(2)

const (
	WS_OVERLAPPEDWINDOW = 0x00cf0000
	WS_CLIPCHILDREN     = 0x02000000
	WS_CHILD            = 0x40000000
	WS_VISIBLE          = 0x10000000
	BS_PUSHBUTTON       = 0x00000000
	BN_CLICKED          = 0
	CW_USEDEFAULT       = -0x80000000
	SW_SHOWNORMAL       = 1
	SW_SHOWNOACTIVATE   = 4
	IDC_ARROW           = 32512
	COLOR_WINDOW        = 5
	CS_HREDRAW          = 0x0002
	CS_VREDRAW          = 0x0001
)

// WndClassEx is WNDCLASSEXW:
//
//	typedef struct tagWNDCLASSEXW {
//	  UINT      cbSize;
//	  UINT      style;
//	  WNDPROC   lpfnWndProc;
//	  int       cbClsExtra;
//	  int       cbWndExtra;
//	  HINSTANCE hInstance;
//	  HICON     hIcon;
//	  HCURSOR   hCursor;
//	  HBRUSH    hbrBackground;
//	  LPCWSTR   lpszMenuName;
//	  LPCWSTR   lpszClassName;
//	  HICON     hIconSm;
//	} WNDCLASSEXW;
type WndClassEx struct {
	Size       uint32
	Style      uint32
	WndProc    uintptr
	ClsExtra   int32
	WndExtra   int32
	Instance   windows.Handle
	Icon       windows.Handle
	Cursor     windows.Handle
	Background windows.Handle
	MenuName   *uint16
	ClassName  *uint16
	IconSmall  windows.Handle
}
