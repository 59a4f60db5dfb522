package compare

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/partywall/partywall/winmsg"
)

// ServeWindow opens a window of that title, which answers [CompareImage] and
// [ComparePictures], until the context ends or the window is closed. What it has been asked it shows
// in the window; the argument of CompareImage it also prints to out, one line each.
//
// It is an error if a window of that title is there already: clients could not tell the two
// apart.
func ServeWindow(ctx context.Context, title string, out io.Writer, logger *slog.Logger) error {
	if err := checkAlone(title, 0); err != nil {
		return err
	}
	w, err := winmsg.NewWindow(winmsg.Title(title), winmsg.Visible(), winmsg.Size(600, 200),
		winmsg.OnError(func(err error) { logger.Warn("a client has failed", "error", err) }),
		winmsg.Prepare(func(w *winmsg.OwnWindow) { handle(w, out, logger) }),
	)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := checkAlone(title, w.Handle()); err != nil { // it may have come meanwhile
		return err
	}
	logger.Info("serving", "window", title)
	select {
	case <-ctx.Done():
	case <-w.Done():
		logger.Info("the window was closed")
	}
	return nil
}

// checkAlone returns an error if there is a window of that title besides this process's own.
func checkAlone(title string, own uintptr) error {
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

// handle adds the handlers to the server's window.
func handle(w *winmsg.OwnWindow, out io.Writer, logger *slog.Logger) {
	winmsg.Handle(w, CompareImage, func(info *MyInfo) uintptr {
		line := fmt.Sprintf("client:red=%.2f,blue=%.2f", info.Red, info.Blue)
		w.SetText(0, 50, line)
		fmt.Fprintln(out, line)
		*info = MyInfo{Red: 2, Blue: 1}
		return 0
	})
	winmsg.Handle(w, ComparePictures, func(r *PictureRequest) uintptr {
		if err := r.answer(); err != nil {
			logger.Warn("pictures refused", "error", err)
			w.SetText(0, 80, "refused: "+err.Error())
			return winmsg.Refused
		}
		p := r.Pair.Left
		logger.Info("pictures compared", "width", p.Width, "height", p.Height)
		w.SetText(0, 80, fmt.Sprintf("%dx%d: %v", p.Width, p.Height, r.Verdict))
		return 0
	})
}
