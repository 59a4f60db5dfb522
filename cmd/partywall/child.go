package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
)

// childService is the name under which a child serves, in a run directory of its own.
const childService = "partywall/child"

// child is this program again, as the server process of a demo or a measurement.
// It has a run directory that nobody else uses.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	dir   string
	last  lastLines
}

// startChild starts the program's hidden command and waits until it serves. The
// child ends when its standard input does, so it never outlives this process.
func startChild(ctx context.Context, command ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp("", "partywall-")
	if err != nil {
		return nil, err
	}
	c := &child{dir: root}
	if err := os.Setenv("PARTYWALL_DIR", filepath.Join(root, "run")); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	c.cmd = exec.Command(program, command...)
	c.cmd.Stderr = &c.last
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	c.stdin = stdin
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return nil, errors.Join(fmt.Errorf("start the server process: %w", err), c.stop())
	}
	if err := awaitReady(ctx, out); err != nil {
		return nil, fmt.Errorf("the server process does not come up: %w", errors.Join(err, c.stop()))
	}
	return c, nil
}

// awaitReady waits for the child's first line.
func awaitReady(ctx context.Context, out io.Reader) error {
	line := make(chan error, 1)
	go func() {
		text, err := bufio.NewReader(out).ReadString('\n')
		if err == nil && text != "ready\n" {
			err = fmt.Errorf("it says %q", strings.TrimSpace(text))
		}
		line <- err
	}()
	select {
	case err := <-line:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(30 * time.Second):
		return errors.New("it is silent")
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the child in order, or by force if it does not end, and removes the
// run directory.
func (c *child) stop() error {
	var err error
	if c.cmd != nil {
		if c.stdin != nil {
			c.stdin.Close()
		}
		force := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
		if err = c.cmd.Wait(); err != nil {
			err = fmt.Errorf("the server process failed: %w %s", err, c.last.text)
		}
		force.Stop()
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// lastLines keeps the end of what a child wrote to its standard error.
type lastLines struct{ text []byte }

func (l *lastLines) Write(p []byte) (int, error) {
	const keep = 2000
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-keep):]
	return len(p), nil
}

// newServe returns the hidden command that is the child: it serves until its
// standard input ends.
func newServe(handle func(*call.Server), options ...call.ListenOption) *cobra.Command {
	return &cobra.Command{
		Use:    "serve-child",
		Hidden: true,
		Args:   usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			srv, err := call.Listen(childService, options...)
			if err != nil {
				return err
			}
			handle(srv)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				cancel()
			}()
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), "ready"); err != nil {
				return errors.Join(err, srv.Close())
			}
			return srv.Serve(ctx)
		},
	}
}
