package sections

import (
	"context"
	"fmt"

	"github.com/partywall/partywall/winmsg"
)

// sub is a child, until its window is closed or the context ends.
func (p *program) sub(ctx context.Context, c Child) error {
	dir, err := ownDir()
	if err != nil {
		return err
	}
	lib, err := openLibrary(dir, c.Setter)
	if err != nil {
		return err
	}
	defer lib.close()
	w, err := p.newWindow(c.Title, winmsg.Size(420, 140), winmsg.Prepare(func(w *winmsg.OwnWindow) {
		w.HandleMessage(c.Message, func(uintptr, uintptr) uintptr {
			p.answer(w, &c, lib)
			return 0
		})
	}))
	if err != nil {
		return err
	}
	defer w.Close()
	select {
	case <-ctx.Done():
	case <-w.Done():
	}
	return nil
}

// answer sets the value and says so to SectionMain.
func (p *program) answer(w *winmsg.OwnWindow, c *Child, lib *library) {
	lib.set(c)
	w.SetText(20, 20, fmt.Sprintf("the data of %s is set to %d", c.Section, c.Value))
	problem := ""
	if err := post(MainTitle, c.Message); err != nil {
		err = fmt.Errorf("the data is set, and nobody told: %w", err)
		p.complain(err)
		problem = err.Error()
	}
	w.SetText(20, 45, problem)
}
