package winmsg

import (
	"slices"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// text is a line of text in a window.
type text struct {
	x, y  int32
	chars []uint16 // without a zero at the end
}

// SetText draws a line of text whose left upper corner lies at that pixel of the window's
// inside, now and whenever the window is drawn again. It replaces the text that was set for the same
// place; an empty one removes it.
func (w *OwnWindow) SetText(x, y int, line string) {
	chars := windows.StringToUTF16(cutAtZero(line))
	t := text{int32(x), int32(y), chars[:len(chars)-1]}
	w.adding.Lock()
	texts := slices.Clone(*w.texts.Load())
	texts = slices.DeleteFunc(texts, func(old text) bool { return old.x == t.x && old.y == t.y })
	if line != "" {
		texts = append(texts, t)
	}
	w.texts.Store(&texts)
	w.adding.Unlock()
	// A window that has gone is drawn no more.
	_ = winapi.InvalidateRect(w.handle, 0, true)
}

func cutAtZero(s string) string {
	for i := range len(s) {
		if s[i] == 0 {
			return s[:i]
		}
	}
	return s
}

// paint answers WM_PAINT.
func (w *OwnWindow) paint() {
	p := &w.system.paint
	dc, err := winapi.BeginPaint(w.handle, p)
	if err != nil {
		return
	}
	defer winapi.EndPaint(w.handle, p)
	for _, t := range *w.texts.Load() {
		if len(t.chars) > 0 {
			_ = winapi.TextOut(dc, t.x, t.y, &t.chars[0], int32(len(t.chars)))
		}
	}
}
