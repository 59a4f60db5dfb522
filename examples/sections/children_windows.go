package sections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/winmsg"
)

// started is a child that this process has started.
type started struct {
	title   string
	window  *winmsg.Window
	process *os.Process // nil: it has ended
}

// startChildren starts those children whose windows are not there, and waits for them. It returns those
// that it has started, with an error too.
func (m *mainWindow) startChildren(ctx context.Context, dir string) (all []*started, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	for _, c := range children {
		child, err := m.start(ctx, filepath.Join(dir, c.Title+".exe"), c.Title)
		if err != nil {
			return all, err
		}
		if child != nil {
			all = append(all, child)
		}
	}
	m.own.SetText(textX, statusY, fmt.Sprintf("%s and %s are there", A.Title, B.Title))
	return all, nil
}

// start starts a child, unless its window is there.
func (m *mainWindow) start(ctx context.Context, path, title string) (*started, error) {
	cmd := exec.Command(path)
	said := &voice{to: m.stderr}
	cmd.Stderr = said
	w, err := winmsg.Start(ctx, cmd, winmsg.Title(title))
	switch {
	case err != nil:
		if line := said.last(); line != "" {
			err = fmt.Errorf("%w: it said: %s", err, line)
		}
		if cmd.Process != nil { // without a window, it cannot be asked to end
			_ = cmd.Process.Kill()
		}
		return nil, err
	case cmd.Process == nil: // somebody else's
		return nil, w.Close()
	}
	said.pass()
	c := &started{title: title, window: w}
	if p, err := os.FindProcess(w.PID()); err == nil {
		c.process = p
	}
	return c, nil
}

// closeChildren closes the windows of those that were started, and waits until they have ended.
func (m *mainWindow) closeChildren(all []*started) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	for _, c := range all {
		switch problem := c.close(ctx); {
		case err == nil:
			err = problem
		case problem != nil:
			err = fmt.Errorf("%w; %w", err, problem)
		}
	}
	return err
}

func (c *started) close(ctx context.Context) error {
	defer c.window.Close()
	if c.process == nil {
		return nil
	}
	if _, err := c.window.Send(ctx, winmsg.CloseNow, 0, 0); err != nil && !errors.Is(err, partywall.ErrPeerGone) {
		return fmt.Errorf("%s does not close: %w", c.title, err)
	}
	ended := make(chan struct{})
	go func() {
		_, _ = c.process.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s has closed its window and does not end: %w", c.title, ctx.Err())
	}
}

// voice is a child's standard error: kept until its window is there, and passed on from then.
type voice struct {
	mu      sync.Mutex
	to      io.Writer
	passing bool
	text    []byte
}

func (v *voice) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.passing {
		return v.to.Write(p)
	}
	const most = 4096
	v.text = append(v.text, p...)
	if extra := len(v.text) - most; extra > 0 {
		v.text = v.text[extra:]
	}
	return len(p), nil
}

// pass passes on what is said from now on, and what was said already.
func (v *voice) pass() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.passing = true
	_, _ = v.to.Write(v.text)
}

// last returns the last line that was said.
func (v *voice) last() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := strings.TrimSpace(string(v.text))
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
