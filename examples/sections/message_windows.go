package sections

import (
	"context"
	"fmt"

	"github.com/partywall/partywall/winmsg"
)

// post leaves a message with the one window of that title.
func post(title string, msg winmsg.Message) error {
	w, err := winmsg.Find(context.Background(), winmsg.Title(title))
	if err != nil {
		return err
	}
	defer w.Close()
	return w.Post(msg, 0, 0)
}

// alone returns an error if there is a window of that title besides this process's own: others could not
// tell the two apart.
func alone(title string, own uintptr) error {
	there, err := winmsg.List(winmsg.Title(title))
	if err != nil {
		return err
	}
	for _, w := range there {
		if w.Handle != own {
			return fmt.Errorf("a window titled %q is there already: %v", title, &w)
		}
	}
	return nil
}

// newWindow makes the window of that title.
func (p *program) newWindow(title string, options ...winmsg.WindowOption) (*winmsg.OwnWindow, error) {
	if err := alone(title, 0); err != nil {
		return nil, err
	}
	w, err := winmsg.NewWindow(append(options, winmsg.Title(title), winmsg.Visible(), winmsg.OnError(p.complain))...)
	if err != nil {
		return nil, err
	}
	if err := alone(title, w.Handle()); err != nil { // it may have come meanwhile
		w.Close()
		return nil, err
	}
	return w, nil
}
