package call

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/partywall/partywall/internal/rendezvous"
)

// A child is a server that this process has started.
type child struct {
	line  string // the command, for texts
	cmd   *exec.Cmd
	pid   int
	said  *os.File      // what it writes, unless the command has outputs of its own
	ended chan struct{} // closed when it has ended
	err   error         // after that: how, if with a failure
	blind error         // after that: why it is not known how, if it is not
}

// startChild starts the server under the lock.
func startChild(lock *rendezvous.StartLock, command func() *exec.Cmd) (*child, error) {
	cmd := command()
	if cmd == nil {
		return nil, errors.New("start: the function of call.StartCommand has returned no command")
	}
	c := &child{cmd: cmd, line: commandLine(cmd), ended: make(chan struct{})}
	if err := c.start(lock); err != nil {
		c.release()
		return nil, fmt.Errorf("start %q: %w", c.line, err)
	}
	c.pid = cmd.Process.Pid
	lock.Note(c.pid)
	go c.reap()
	return c, nil
}

func commandLine(cmd *exec.Cmd) string {
	line := strings.Join(cmd.Args, " ")
	if line == "" {
		line = cmd.Path
	}
	return cutText(line, 200)
}

func (c *child) start(lock *rendezvous.StartLock) (err error) {
	if c.cmd.Stdout == nil || c.cmd.Stderr == nil {
		if c.said, err = lock.Log(); err != nil {
			return fmt.Errorf("make its log: %w", err)
		}
	}
	if c.cmd.Stdout == nil {
		c.cmd.Stdout = c.said
	}
	if c.cmd.Stderr == nil {
		c.cmd.Stderr = c.said
	}
	detach(c.cmd)
	if err := lock.Equip(c.cmd); err != nil {
		return err
	}
	return c.cmd.Start()
}

// reap waits for the server's end, for as long as this process lives: nothing else
// frees the process id. Where SIGCHLD is ignored, or another part of the program waits
// for all children, it learns only that the server has ended. That is not taken for a
// failure: the command may have left a server behind.
func (c *child) reap() {
	switch err := c.cmd.Wait(); {
	case c.cmd.ProcessState == nil:
		c.blind = err
		c.cmd.Process.Release() // which Wait has not done
	case !c.cmd.ProcessState.Success():
		c.err = err
	}
	close(c.ended)
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// failure returns how the server has failed, with its last words, or nil if it has
// not.
func (c *child) failure() error {
	if !c.hasEnded() || c.err == nil {
		return nil
	}
	if c.said == nil {
		return fmt.Errorf("start %q: %w", c.line, c.err)
	}
	words := lastWords(c.said)
	if words == "" {
		return fmt.Errorf("start %q: %w; it said nothing", c.line, c.err)
	}
	return fmt.Errorf("start %q: %w; it said: %s", c.line, c.err, words)
}

// state says what is known of a server that does not answer.
func (c *child) state(lock *rendezvous.StartLock) string {
	state := fmt.Sprintf("process %d has been started, and has not answered in time", c.pid)
	if c.hasEnded() {
		state = "it has ended without a failure, and nobody has answered in time"
		if c.err != nil {
			state = fmt.Sprintf("it has ended (%v), and nobody has answered in time", c.err)
		} else if c.blind != nil {
			state = fmt.Sprintf("it has ended, how is not known (%v), and nobody has answered in time", c.blind)
		}
	}
	if c.said != nil {
		state += "; its output is in " + lock.LogPath()
	}
	return state
}

// release lets go of the server, which goes on.
func (c *child) release() {
	if c.said != nil {
		c.said.Close()
	}
}

// lastWords returns the last one to three lines of a file that are not empty, in one
// line of at most 300 bytes that can be printed.
func lastWords(f *os.File) string {
	const (
		look    = 4096 // bytes from the end
		most    = 300
		between = "; "
	)
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	tail := make([]byte, min(st.Size(), look))
	n, err := f.ReadAt(tail, st.Size()-int64(len(tail)))
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	var words []string
	room := most
	for _, line := range slices.Backward(strings.Split(string(tail[:n]), "\n")) {
		line = strings.TrimSpace(cleanText(line))
		if line == "" {
			continue
		}
		if len(words) > 0 && len(line) > room || len(words) == 3 {
			break
		}
		words = append(words, cutText(line, most))
		room -= len(line) + len(between)
	}
	slices.Reverse(words)
	return strings.Join(words, between)
}
