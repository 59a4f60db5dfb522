package sections

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/winmsg"
)

// mainWindow is what SectionMain shows.
type mainWindow struct {
	*program
	mainOptions
	lib      *library
	own      *winmsg.OwnWindow
	outcomes chan outcome // of what Test has asked for; those that nobody waits for are dropped
}

// outcome is what came of asking a child.
type outcome struct {
	letter string
	err    error
}

// Where in the window things are.
const (
	textX   = 20
	firstY  = 60 // of the first child's line
	lineY   = 25
	statusY = firstY + 2*lineY
)

var buttonPlace = image.Rect(20, 15, 120, 45)

var errClosed = errors.New("the window was closed")

// main is SectionMain, until its window is closed, or the context ends, or with --auto both children
// have answered.
func (p *program) main(ctx context.Context, o mainOptions) (err error) {
	dir, err := ownDir()
	if err != nil {
		return err
	}
	lib, err := openLibrary(dir, A.Getter, B.Getter)
	if err != nil {
		return err
	}
	defer lib.close()
	m := &mainWindow{program: p, mainOptions: o, lib: lib, outcomes: make(chan outcome, 100)}
	m.own, err = p.newWindow(MainTitle, winmsg.Size(420, 200),
		winmsg.Button(TestButton, "Test", buttonPlace, m.test),
		winmsg.Prepare(m.prepare))
	if err != nil {
		return err
	}
	defer m.own.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		<-m.own.Done()
		cancel(errClosed)
	}()
	started, err := m.startChildren(ctx, dir)
	defer func() {
		if problem := m.closeChildren(started); err == nil {
			err = problem
		}
	}()
	switch {
	case ctx.Err() != nil && !o.auto: // in order
		return nil
	case err != nil:
		return err
	case o.auto:
		return m.pressAndWait(ctx)
	}
	<-ctx.Done()
	return nil
}

// prepare gives the window its handlers: a child posts the message by which it was asked.
func (m *mainWindow) prepare(w *winmsg.OwnWindow) {
	w.SetText(textX, statusY, fmt.Sprintf("starting %s and %s", A.Title, B.Title))
	for i := range children {
		w.HandleMessage(children[i].Message, func(uintptr, uintptr) uintptr {
			line := children[i].response(m.lib.get(&children[i]))
			w.SetText(textX, firstY+i*lineY, line)
			fmt.Fprintln(m.stdout, line)
			m.tell(outcome{letter: children[i].Letter})
			return 0
		})
	}
}

// test is the button: it asks both children.
func (m *mainWindow) test(w *winmsg.OwnWindow) {
	for i := range children {
		c := &children[i]
		w.SetText(textX, firstY+i*lineY, "")
		err := post(c.Title, c.Message)
		if err == nil {
			continue
		}
		if errors.Is(err, partywall.ErrNotFound) || errors.Is(err, partywall.ErrPeerGone) {
			err = fmt.Errorf("%w; start %s again", err, c.Title)
		}
		err = fmt.Errorf("%s cannot be asked: %w", c.Letter, err)
		w.SetText(textX, firstY+i*lineY, err.Error())
		if !m.auto { // it will be the program's last word
			m.complain(err)
		}
		m.tell(outcome{letter: c.Letter, err: err})
	}
}

func (m *mainWindow) tell(o outcome) {
	select {
	case m.outcomes <- o:
	default:
	}
}

// pressAndWait presses Test as another program would, and waits for both responses.
func (m *mainWindow) pressAndWait(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, m.timeout, fmt.Errorf("waited for %v", m.timeout))
	defer cancel()
	w, err := winmsg.Open(m.own.Handle())
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Post(winmsg.Command, TestButton, 0); err != nil {
		return err
	}
	missing := map[string]bool{A.Letter: true, B.Letter: true}
	for len(missing) > 0 {
		select {
		case o := <-m.outcomes:
			if o.err != nil {
				return o.err
			}
			delete(missing, o.letter)
		case <-ctx.Done():
			var silent []string
			for _, c := range children {
				if missing[c.Letter] {
					silent = append(silent, c.Title)
				}
			}
			return fmt.Errorf("no response from %s: %w", strings.Join(silent, " and "), context.Cause(ctx))
		}
	}
	return nil
}
