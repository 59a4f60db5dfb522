package winapi

import "golang.org/x/sys/windows"

// Messages.

//sys	SendMessageTimeout(window windows.HWND, message uint32, wParam uintptr, lParam uintptr, flags uint32, milliseconds uint32, result *uintptr) (ok uintptr, err error) = user32.SendMessageTimeoutW
//sys	PostMessage(window windows.HWND, message uint32, wParam uintptr, lParam uintptr) (err error) = user32.PostMessageW
//sys	RegisterWindowMessage(name *uint16) (message uint32, err error) = user32.RegisterWindowMessageW
//sys	ChangeWindowMessageFilterEx(window windows.HWND, message uint32, action uint32, status uintptr) (err error) = user32.ChangeWindowMessageFilterEx
//sys	GetMessage(m *Msg, window windows.HWND, first uint32, last uint32) (more int32, err error) [failretval==-1] = user32.GetMessageW
//sys	PeekMessage(m *Msg, window windows.HWND, first uint32, last uint32, remove uint32) (found bool) = user32.PeekMessageW
//sys	MsgWaitForMultipleObjectsEx(count uint32, handles *windows.Handle, milliseconds uint32, wake uint32, flags uint32) (event uint32, err error) [failretval==windows.WAIT_FAILED] = user32.MsgWaitForMultipleObjectsEx
//sys	TranslateMessage(m *Msg) = user32.TranslateMessage
//sys	DispatchMessage(m *Msg) = user32.DispatchMessageW
//sys	PostQuitMessage(code int32) = user32.PostQuitMessage

// The messages that the project knows by name.
const (
	WM_NULL      = 0x0000
	WM_DESTROY   = 0x0002
	WM_SETFOCUS  = 0x0007
	WM_PAINT     = 0x000f
	WM_CLOSE     = 0x0010
	WM_COPYDATA  = 0x004a
	WM_NCDESTROY = 0x0082
	BM_CLICK     = 0x00f5
	WM_COMMAND   = 0x0111
	WM_USER      = 0x0400
	WM_APP       = 0x8000
)

const (
	SMTO_NORMAL      = 0x0000
	SMTO_ERRORONEXIT = 0x0020

	MSGFLT_ALLOW = 1

	QS_SENDMESSAGE = 0x0040
	PM_NOREMOVE    = 0x0000
	PM_SENT_ONLY   = QS_SENDMESSAGE << 16 // PM_QS_SENDMESSAGE
)

// Msg is MSG:
//
//	typedef struct tagMSG {
//	  HWND   hwnd;
//	  UINT   message;
//	  WPARAM wParam;
//	  LPARAM lParam;
//	  DWORD  time;
//	  POINT  pt;
//	} MSG;
//
// One that is given to GetMessage must not lie on a stack, which can move while a window
// procedure in Go runs.
type Msg struct {
	Window  windows.HWND
	Message uint32
	WParam  uintptr
	LParam  uintptr
	Time    uint32
	X, Y    int32
}

// CopyData is COPYDATASTRUCT:
//
//	typedef struct tagCOPYDATASTRUCT {
//	  ULONG_PTR dwData;
//	  DWORD     cbData;
//	  PVOID     lpData;
//	} COPYDATASTRUCT;
type CopyData struct {
	Tag  uintptr
	Size uint32
	Data uintptr
}
