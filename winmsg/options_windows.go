package winmsg

import (
	"fmt"
	"path/filepath"
	"strings"
)

// A Condition chooses among windows: [Find], [List].
type Condition interface{ choose(q *query) }

// A WindowOption shapes a window of this process: [NewWindow].
type WindowOption interface{ shape(c *windowConfig) }

// An Option is both.
type Option interface {
	Condition
	WindowOption
}

// query is what is looked for.
type query struct {
	tests       []func(*Info) bool
	words       []string // for errors
	messageOnly bool
	wait        bool
	image       bool // the tests look at the image, which costs most to ask for
}

func (q *query) add(test func(*Info) bool, format string, args ...any) {
	q.tests = append(q.tests, test)
	q.words = append(q.words, fmt.Sprintf(format, args...))
}

func (q *query) match(i *Info) bool {
	for _, test := range q.tests {
		if !test(i) {
			return false
		}
	}
	return true
}

// String says what is looked for.
func (q *query) String() string {
	kind := "a window"
	if q.messageOnly {
		kind = "a message-only window"
	}
	if len(q.words) == 0 {
		return kind
	}
	return kind + " with " + strings.Join(q.words, ", ")
}

type windowConfig struct {
	title, class  string
	visible       bool
	messageOnly   bool
	width, height int
	onError       func(error)
	prepare       func(*OwnWindow)
	buttons       []*button
}

type condition func(*query)

func (f condition) choose(q *query) { f(q) }

type windowOption func(*windowConfig)

func (f windowOption) shape(c *windowConfig) { f(c) }

type option struct {
	condition
	windowOption
}

// Title is the window's title, the text of its title bar. Case does not count, as it does
// not for FindWindow.
func Title(title string) Option {
	return option{
		func(q *query) {
			q.add(func(i *Info) bool { return strings.EqualFold(i.Title, title) }, "title %q", title)
		},
		func(c *windowConfig) { c.title = title },
	}
}

// Class is the name of the window's class. Case does not count. A class that [NewWindow]
// is to use is the process's own, and made for it.
func Class(class string) Option {
	return option{
		func(q *query) {
			q.add(func(i *Info) bool { return strings.EqualFold(i.Class, class) }, "class %q", class)
		},
		func(c *windowConfig) { c.class = class },
	}
}

// MessageOnly is for windows that nobody sees, and that only a search for message-only
// windows finds: children of HWND_MESSAGE.
func MessageOnly() Option {
	return option{
		func(q *query) { q.messageOnly = true },
		func(c *windowConfig) { c.messageOnly = true },
	}
}

// PID is the window's process.
func PID(pid int) Condition {
	return condition(func(q *query) {
		q.add(func(i *Info) bool { return i.PID == pid }, "process %d", pid)
	})
}

// Image is the file that the window's process runs: its base name, or its whole path.
// Case does not count. A process that this one may not ask does not match.
func Image(image string) Condition {
	return condition(func(q *query) {
		q.image = true
		q.add(func(i *Info) bool {
			return strings.EqualFold(i.Image, image) || strings.EqualFold(filepath.Base(i.Image), image)
		}, "image %q", image)
	})
}

// Wait has [Find] wait until there is such a window, or the context has ended.
func Wait() Condition { return condition(func(q *query) { q.wait = true }) }

// Visible shows the window on the desktop. One that is neither Visible nor MessageOnly can be
// found by its title all the same.
func Visible() WindowOption { return windowOption(func(c *windowConfig) { c.visible = true }) }

// Size sets the window's width and height in pixels; without it Windows chooses.
func Size(width, height int) WindowOption {
	return windowOption(func(c *windowConfig) { c.width, c.height = width, height })
}

// OnError has f told, on the window's thread, about handlers that panic, addresses that are refused, and
// results that could not be written where the sender said. Without it such things are not told.
func OnError(f func(error)) WindowOption {
	return windowOption(func(c *windowConfig) { c.onError = f })
}

// Prepare has f run on the window's thread before the window has its title and takes messages, so that
// no request is lost on a window that is found before its handlers are there. f adds handlers and
// texts, and nothing else.
func Prepare(f func(w *OwnWindow)) WindowOption {
	return windowOption(func(c *windowConfig) { c.prepare = f })
}
