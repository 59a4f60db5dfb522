package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// childService is the name under which a child serves, in a run directory of its own.
const childService = "partywall/child"

const (
	startPatience = 30 * time.Second
	stopPatience  = 10 * time.Second

	// handlerPatience is how long a child whose standard input has ended waits for
	// a handler. It is shorter than stopPatience, so that an interrupted demo with huge
	// images ends in order.
	handlerPatience = 2 * time.Second

	// endPatience is how long the standard error of a child that has ended is read: a program
	// that the system has started for it may keep it open.
	endPatience = time.Second
)

// child is this program again, as the server process of a demo or a measurement.
// It has a run directory that nobody else uses.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ready string // what it has said when it was
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
	return launch(ctx, exec.Command(program, command...))
}

func launch(ctx context.Context, cmd *exec.Cmd) (*child, error) {
	c, err := spawn(ctx, cmd)
	if err != nil {
		return nil, err
	}
	c.dir = c.ready
	if err := os.Setenv("PARTYWALL_DIR", runDir(c.dir)); err != nil {
		return nil, c.stop(err)
	}
	return c, nil
}

// begin starts a process whose standard output is read here.
func begin(cmd *exec.Cmd) (*child, io.Reader, error) {
	c := &child{cmd: cmd}
	cmd.Stderr = &c.last
	cmd.WaitDelay = endPatience
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if c.stdin, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start the server process: %w", err)
	}
	return c, out, nil
}

// spawn starts a server process and waits until it is ready.
func spawn(ctx context.Context, cmd *exec.Cmd) (*child, error) {
	c, out, err := begin(cmd)
	if err != nil {
		return nil, err
	}
	if c.ready, err = awaitReady(ctx, out); err != nil {
		_ = c.stop(nil)
		if said := c.last.line(); said != "" {
			err = errors.New(said)
		}
		return nil, fmt.Errorf("the server process does not start: %w", err)
	}
	return c, nil
}

// awaitReady waits for the child's first line, and returns what it says: its run directory, if
// it has one.
func awaitReady(ctx context.Context, out io.Reader) (string, error) {
	type ready struct {
		what string
		err  error
	}
	said := make(chan ready, 1)
	go func() {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			said <- ready{err: errors.New("it ends at once")}
			return
		}
		r := ready{}
		if _, err := fmt.Sscanf(line, readyFormat, &r.what); err != nil {
			r.err = fmt.Errorf("it says %q", strings.TrimSpace(line))
		}
		said <- r
	}()
	select {
	case r := <-said:
		return r.what, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(startPatience):
		return "", errors.New("it is silent")
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the child in order, or by force if it does not end, and sees to it that
// its run directory is gone. It returns the error of the work that the child was
// started for, or else how the child failed.
func (c *child) stop(work error) error {
	c.stdin.Close()
	force := time.AfterFunc(stopPatience, func() { _ = c.cmd.Process.Kill() })
	defer force.Stop()
	err := c.cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) { // and it has ended well
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("the server process failed: %w", err)
		if said := c.last.line(); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
	}
	if c.dir != "" {
		err = errors.Join(err, removeDir(c.dir))
	}
	// How the server ended says more than that it did.
	if work == nil || err != nil && errors.Is(work, partywall.ErrPeerGone) {
		return err
	}
	return work
}

// lastLines keeps the end of what a child wrote to its standard error.
type lastLines struct{ text []byte }

func (l *lastLines) Write(p []byte) (int, error) {
	const keep = 2000
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-keep):]
	return len(p), nil
}

// line is what the child said last, without the program's name.
func (l *lastLines) line() string {
	lines := strings.Split(strings.TrimSpace(string(l.text)), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "partywall: ")
}

const readyFormat = "ready %q\n"

// newServe returns the hidden command that is the child: it serves until its
// standard input ends.
func newServe(handle func(*call.Server), options ...call.ListenOption) *cobra.Command {
	return &cobra.Command{
		Use:    "serve-child",
		Short:  "Be the server process, until standard input ends",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A terminal sends these to both processes. If the child died of them,
			// it could not tidy up.
			signal.Ignore(os.Interrupt, syscall.SIGHUP)
			return serve(cmd, handle, options)
		},
	}
}

// serve makes the run directory and removes it: the child, and not who started
// it, because the child notices when the other is killed.
func serve(cmd *cobra.Command, handle func(*call.Server), options []call.ListenOption) error {
	dir, err := privateDir()
	if err != nil {
		return err
	}
	defer removeDir(dir)
	srv, err := call.Listen(childService, options...)
	if err != nil {
		return err
	}
	handle(srv)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, cmd.InOrStdin())
		cancel()
	}()
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), readyFormat, dir); err != nil {
		return errors.Join(err, srv.Close())
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-served:
		return err
	case <-time.After(handlerPatience):
		return errors.New("a handler does not return")
	}
}
