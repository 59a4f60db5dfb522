package winmsg

import (
	"fmt"
	"image"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/winapi"
)

// pressed is a program with three buttons, which says what happens.
func pressed(args []string) error {
	say := func(w *OwnWindow, what string) {
		if windows.GetCurrentThreadId() != w.thread {
			what += " on a strange thread"
		}
		fmt.Println(what)
	}
	w, err := NewWindow(Title(args[0]), Visible(), Size(400, 200),
		Button(7, "Test", image.Rect(10, 10, 110, 40), func(w *OwnWindow) { say(w, "Test") }),
		Button(65535, "Other", image.Rect(120, 10, 220, 40), func(w *OwnWindow) { say(w, "Other") }),
		Button(1, "Panic", image.Rect(230, 10, 330, 40), func(*OwnWindow) { panic("what now?") }),
		OnError(func(err error) {
			line, _, _ := strings.Cut(err.Error(), "\n")
			fmt.Println("error", line)
		}),
		Prepare(func(w *OwnWindow) {
			w.HandleMessage(Command, func(wParam, lParam uintptr) uintptr {
				say(w, fmt.Sprintf("command %#x", wParam))
				return 99
			})
		}))
	if err != nil {
		return err
	}
	fmt.Println("ready", w.Handle())
	io.Copy(io.Discard, os.Stdin)
	return w.Close()
}

// control finds a button by its text, as programs that never heard of this package do.
func control(t *testing.T, w *Window, text string) *Window {
	t.Helper()
	class, _ := windows.UTF16PtrFromString("Button")
	title, _ := windows.UTF16PtrFromString(text)
	h, err := winapi.FindWindowEx(w.handle, 0, class, title)
	if h == 0 {
		t.Fatalf("there is no button %q: %v", text, err)
	}
	c, err := Open(uintptr(h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Each way in which another process can press a button.
func TestButton(t *testing.T) {
	p := proctest.Start(t, "pressed", t.Name())
	w := openPrinted(t, p.Expect("ready "), 10)
	test, other, panics := control(t, w, "Test"), control(t, w, "Other"), control(t, w, "Panic")
	const (
		buttonDown, buttonUp = 0x0201, 0x0202 // WM_LBUTTONDOWN, WM_LBUTTONUP
		keyDown, keyUp       = 0x0100, 0x0101 // WM_KEYDOWN, WM_KEYUP
		space                = 0x20           // VK_SPACE
		middle               = 10<<16 | 10
	)
	for _, c := range []struct {
		what   string
		to     *Window
		msg    Message
		wParam uintptr
		lParam uintptr
		want   string
	}{
		{"WM_COMMAND", w, Command, 7, 0, "Test"},
		{"WM_COMMAND of the other", w, Command, 65535, 0, "Other"},
		{"WM_COMMAND from the button", w, Command, 7, test.Handle(), "Test"},
		{"WM_COMMAND from another control", w, Command, 7, other.Handle(), "command 0x7"},
		{"WM_COMMAND of no button", w, Command, 8, 0, "command 0x8"},
		{"a notification that is no click", w, Command, 6<<16 | 7, test.Handle(), "command 0x60007"},
		{"BM_CLICK", test, Click, 0, 0, "Test"},
		{"BM_CLICK to the other", other, Click, 0, 0, "Other"},
		{"a panic", w, Command, 1, 0, "error winmsg: window \"TestButton\": the handler of WM_COMMAND panicked: what now?"},
		{"BM_CLICK to who panics", panics, Click, 0, 0, "error winmsg: window \"TestButton\": the handler of WM_COMMAND panicked: what now?"},
		{"the mouse", test, buttonDown, 1, middle, ""},
		{"the mouse goes up", test, buttonUp, 0, middle, "Test"},
		{"the space bar", other, keyDown, space, 0, ""},
		{"the space bar goes up", other, keyUp, space, 0, "Other"},
	} {
		// Twice each: posted, and sent.
		if c.want == "" || strings.HasSuffix(c.what, " up") {
			if err := c.to.Post(c.msg, c.wParam, c.lParam); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
		} else {
			if _, err := c.to.Send(within(t, proctest.Watchdog), c.msg, c.wParam, c.lParam); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			if got := p.Line(); got != c.want {
				t.Errorf("%s, sent: %q, want %q", c.what, got, c.want)
			}
			if err := c.to.Post(c.msg, c.wParam, c.lParam); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
		}
		if c.want == "" {
			continue
		}
		if got := p.Line(); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	// Who answers what.
	for wParam, want := range map[uintptr]uintptr{7: 0, 8: 99, 1: Refused} {
		if answer, err := w.Send(within(t, proctest.Watchdog), Command, wParam, 0); err != nil && wParam != 1 || answer != want {
			t.Errorf("WM_COMMAND %d: answer %d, %v; want %d", wParam, answer, err, want)
		}
	}
}

// The first button has the keyboard when the window is shown.
func TestButtonFocus(t *testing.T) {
	w, err := NewWindow(Title(t.Name()), Visible(), Size(300, 100),
		Button(1, "First", image.Rect(0, 0, 100, 30), func(*OwnWindow) {}),
		Button(2, "Second", image.Rect(100, 0, 200, 30), func(*OwnWindow) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	first := control(t, w.open(t), "First")
	var info windows.GUIThreadInfo
	for end := time.Now().Add(proctest.Watchdog); info.Focus != first.handle; time.Sleep(5 * time.Millisecond) {
		info.Size = uint32(unsafe.Sizeof(info))
		if err := windows.GetGUIThreadInfo(w.thread, &info); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Fatalf("%#x has the keyboard, want %#x of the first button", info.Focus, first.handle)
		}
	}
}

// A press may close the window, and one option makes buttons in many windows.
func TestButtonCloses(t *testing.T) {
	var closed atomic.Int32
	bye := Button(3, "&Bye && thanks", image.Rect(0, 0, 100, 30), func(w *OwnWindow) {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		closed.Add(1)
	})
	for _, options := range [][]WindowOption{{bye}, {bye, MessageOnly()}, {bye, Visible()}} {
		w, err := NewWindow(options...)
		if err != nil {
			t.Fatal(err)
		}
		if err := control(t, w.open(t), "&Bye && thanks").Post(Click, 0, 0); err != nil {
			t.Fatal(err)
		}
		gone(t, w)
	}
	if n := closed.Load(); n != 3 {
		t.Errorf("%d presses", n)
	}
}

func TestButtonMistakes(t *testing.T) {
	at, press := image.Rect(0, 0, 10, 10), func(*OwnWindow) {}
	for _, test := range []struct {
		buttons []WindowOption
		want    string
	}{
		{[]WindowOption{Button(0, "b", at, press)}, `button "b": its id is not between 1 and 65535`},
		{[]WindowOption{Button(-1, "b", at, press)}, "between 1 and 65535"},
		{[]WindowOption{Button(65536, "b", at, press)}, "between 1 and 65535"},
		{[]WindowOption{Button(1, "b", at, press), Button(1, "c", at, press)}, `button "c": another one has its id, 1`},
		{[]WindowOption{Button(1, "b", image.Rect(5, 5, 5, 9), press)}, "no area"},
		{[]WindowOption{Button(1, "b", at, nil)}, "no function"},
		{[]WindowOption{Button(1, "a\x00b", at, press)}, "zero byte"},
	} {
		w, err := NewWindow(test.buttons...)
		wantText(t, err, test.want)
		if err == nil {
			w.Close()
		}
	}
}
