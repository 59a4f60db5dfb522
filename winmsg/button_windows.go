package winmsg

import (
	"errors"
	"fmt"
	"image"
	"slices"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// button is a push button of a window.
type button struct {
	id     uint16
	text   string
	at     image.Rectangle
	press  func(*OwnWindow)
	chars  *uint16 // the text, not on a stack: see systemMemory
	handle windows.HWND
}

// Button puts a push button into the window: a control of class BUTTON, with a text, at a place
// in pixels of the window's inside. press is called each time that it is clicked, on the window's
// thread, as a handler is.
//
// The id, from 1 to 65535, is the button's among the window's controls. Other programs press the
// button by it, by sending or posting [Command] to the window with the id in wParam and 0 in lParam; or by
// [Click] to the button itself, which GetDlgItem finds by its id, and FindWindowEx by class and text.
// Windows may ignore the latter while the window is not active.
//
// Of several buttons, the first one has the keyboard when the window has: the space bar presses
// it. An ampersand in the text underlines the character behind it; two are one.
func Button(id int, text string, at image.Rectangle, press func(w *OwnWindow)) WindowOption {
	return windowOption(func(c *windowConfig) {
		b := &button{id: uint16(id), text: text, at: at, press: press}
		if int(b.id) != id {
			b.id = 0 // which checkButtons refuses
		}
		c.buttons = append(c.buttons, b)
	})
}

// checkButtons returns an error if there are buttons that cannot be made.
func (c *windowConfig) checkButtons() (err error) {
	for i, b := range c.buttons {
		b.chars, err = windows.UTF16PtrFromString(b.text)
		switch {
		case err != nil:
			err = errors.New("its text has a zero byte")
		case b.id == 0:
			err = errors.New("its id is not between 1 and 65535")
		case slices.ContainsFunc(c.buttons[:i], func(other *button) bool { return other.id == b.id }):
			err = fmt.Errorf("another one has its id, %d", b.id)
		case b.at.Empty():
			err = errors.New("it has no area")
		case b.press == nil:
			err = errors.New("it has no function")
		}
		if err != nil {
			return fmt.Errorf("winmsg: button %q: %w", b.text, err)
		}
	}
	return nil
}

// buttonClass is the system's class of buttons.
var buttonClass, _ = windows.UTF16PtrFromString("BUTTON")

// makeButtons makes the buttons. A control belongs to its window's thread.
func (w *OwnWindow) makeButtons() (err error) {
	const style = winapi.WS_CHILD | winapi.WS_VISIBLE | winapi.BS_PUSHBUTTON
	for _, b := range w.config.buttons {
		at, size := b.at.Min, b.at.Size()
		b.handle, err = winapi.CreateWindowEx(0, buttonClass, b.chars, style,
			int32(at.X), int32(at.Y), int32(size.X), int32(size.Y), w.handle, windows.Handle(b.id), 0, 0)
		if err != nil {
			return fmt.Errorf("button %q: CreateWindowEx: %w", b.text, err)
		}
	}
	return nil
}

// buttonOf returns the button that a WM_COMMAND presses, or nil.
func (w *OwnWindow) buttonOf(wParam, lParam uintptr) *button {
	id, code := uint16(wParam), uint16(wParam>>16)
	for _, b := range w.config.buttons {
		if b.id == id && code == winapi.BN_CLICKED && (lParam == 0 || lParam == uintptr(b.handle)) {
			return b
		}
	}
	return nil
}
