package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/winmsg"
)

func (c *windowChoice) conditions() (all []winmsg.Condition) {
	if c.given("title") {
		all = append(all, winmsg.Title(c.title))
	}
	if c.class != "" {
		all = append(all, winmsg.Class(c.class))
	}
	if c.image != "" {
		all = append(all, winmsg.Image(c.image))
	}
	if c.pid != 0 {
		all = append(all, winmsg.PID(c.pid))
	}
	if c.messageOnly {
		all = append(all, winmsg.MessageOnly())
	}
	return all
}

// listWindows returns the windows that are chosen, hidden ones too, and, with both, top-level
// windows and message-only ones.
func listWindows(c *windowChoice, both bool) (reports []windowReport, err error) {
	var found []winmsg.Info
	switch {
	case c.handle != 0:
		w, err := c.open()
		if err != nil {
			return nil, err
		}
		defer w.Close()
		info, err := w.Info()
		if err != nil {
			return nil, err
		}
		found = append(found, info)
	default:
		if found, err = winmsg.List(c.conditions()...); err != nil {
			return nil, err
		}
		if both && !c.messageOnly {
			more, err := winmsg.List(append(c.conditions(), winmsg.MessageOnly())...)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
	}
	for _, i := range found {
		image := i.Image
		if image != "" {
			image = filepath.Base(image)
		}
		reports = append(reports, windowReport{hexWord(i.Handle), i.PID, i.Thread, image, i.Class, i.Title, i.Visible, i.MessageOnly})
	}
	return reports, nil
}

// offerWindows returns what a completion can offer.
func offerWindows() []windowReport {
	c := windowChoice{given: func(string) bool { return false }}
	reports, err := listWindows(&c, true)
	if err != nil {
		return nil
	}
	return reports
}

// open opens the window with the handle.
func (c *windowChoice) open() (*winmsg.Window, error) {
	w, err := winmsg.Open(c.handle)
	if errors.Is(err, partywall.ErrNotFound) {
		err = c.noWindow("")
	}
	return w, err
}

// noWindow says that there is none, within a time if it was waited for, and what could have been meant.
func (c *windowChoice) noWindow(within string) error {
	hint := "'partywall win ls --all' lists those that there are"
	if c.given("title") {
		var titles []string
		for _, w := range offerWindows() {
			titles = append(titles, w.Title)
		}
		if near := nearest(c.title, titles); near != "" && near != c.title {
			hint = fmt.Sprintf("did you mean %q? %s", near, hint)
		}
	}
	return fmt.Errorf("there is no %v%s; %s", c, within, hint)
}

// find finds the window, and waits for it if that is wanted.
func (s *sender) find(ctx context.Context) (*winmsg.Window, error) {
	if s.handle != 0 {
		return s.open()
	}
	conditions := s.conditions()
	if s.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.wait)
		defer cancel()
		conditions = append(conditions, winmsg.Wait())
	}
	w, err := winmsg.Find(ctx, conditions...)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = s.noWindow(fmt.Sprintf(" within %v", s.wait))
	case errors.Is(err, partywall.ErrNotFound):
		err = s.noWindow("")
	}
	return w, err
}

// with finds the window and has f speak to it, within the time that it has.
func (s *sender) with(ctx context.Context, f func(ctx context.Context, w *winmsg.Window) (uintptr, error)) (answer uintptr, err error) {
	w, err := s.find(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	answer, err = f(ctx, w)
	if errors.Is(err, context.DeadlineExceeded) {
		why := ""
		if w.IsHung() {
			why = ", and its thread has not looked for messages for five seconds or more"
		}
		err = fmt.Errorf("%v has not answered %v within %v%s; --timeout sets how long to wait", w, s.msg, s.timeout, why)
	}
	return answer, err
}

func (s *sending) send(ctx context.Context) (uintptr, error) {
	return s.with(ctx, func(ctx context.Context, w *winmsg.Window) (uintptr, error) {
		if s.post {
			return 0, w.Post(s.msg, s.wParam, s.lParam)
		}
		return w.Send(ctx, s.msg, s.wParam, s.lParam)
	})
}

func (i *invoking) invoke(ctx context.Context, data []byte) (uintptr, error) {
	return i.with(ctx, func(ctx context.Context, w *winmsg.Window) (uintptr, error) {
		answer, err := winmsg.InvokeBytes(ctx, w, i.msg, data)
		if errors.Is(err, winmsg.ErrRefused) {
			err = fmt.Errorf("%v has refused %v with a struct of %d bytes: it answered -1; its struct may have another size", w, i.msg, len(data))
		}
		return answer, err
	})
}
