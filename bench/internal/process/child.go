// Package process runs this program again as other processes, asks them what to do and how they are, and looks at
// them from outside.
package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Argument is the first argument of this program where it is a child.
const Argument = "child"

const (
	startPatience = time.Minute
	stopPatience  = 10 * time.Second
	pipePatience  = time.Second
)

// A Child is this program again, in a role, or another one that is made for that. It reads requests from its standard input and answers them on its standard
// output, one line of JSON each. It ends when its input does, so it never outlives this process.
type Child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said tail
	name string
	mu   sync.Mutex // one request at a time
}

type request struct {
	Do   string `json:"do"`
	With any    `json:"with,omitempty"`
}

type incoming struct {
	Do   string          `json:"do"`
	With json.RawMessage `json:"with"`
}

type reply struct {
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// Start starts a role of a program, of this one if program is empty. name is what errors call it.
func Start(name, program, role string, args ...string) (c *Child, err error) {
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	c = &Child{name: name, cmd: exec.Command(program, append([]string{Argument, role}, args...)...)}
	c.cmd.Stderr = &c.said
	c.cmd.WaitDelay = pipePatience
	// The race detector would have each child sleep for a second at its end.
	c.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if c.in, err = c.cmd.StdinPipe(); err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return c, nil
}

// PID returns the process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Ready waits until the child says that it is, and returns what it says besides.
func (c *Child) Ready(ctx context.Context) (what string, err error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return what, c.Ask(ctx, "ready", nil, &what)
}

// Ask has the child do something with an argument, and waits for the result. If the context ends first, the child
// is killed.
func (c *Child) Ask(ctx context.Context, do string, with, result any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })()
	line, err := json.Marshal(request{do, with})
	if err != nil {
		return err
	}
	var answer reply
	if _, err = c.in.Write(append(line, '\n')); err == nil {
		if line, err = c.out.ReadBytes('\n'); err == nil {
			err = json.Unmarshal(line, &answer)
		}
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s, %s: %w", c.name, do, ctx.Err())
	case err != nil:
		return fmt.Errorf("%s has ended: %s", c.name, c.said.last())
	case answer.Error != "":
		return fmt.Errorf("%s, %s: %s", c.name, do, answer.Error)
	case result == nil:
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// Stop ends the child in order, and by force if it does not end.
func (c *Child) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.in, `{"do":"stop"}`+"\n")
	c.in.Close()
	defer time.AfterFunc(stopPatience, func() { _ = c.cmd.Process.Kill() }).Stop()
	_, _ = io.Copy(io.Discard, c.out)
	if err := c.cmd.Wait(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("%s: %w: %s", c.name, err, c.said.last())
	}
	return nil
}

// tail keeps the end of what a child writes to its standard error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const keep = 4000
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-keep):]
	return len(p), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if said := strings.TrimSpace(string(t.text)); said != "" {
		return said
	}
	return "it says nothing"
}
