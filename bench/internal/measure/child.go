package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/load"
	"github.com/partywall/partywall/bench/internal/process"
	"github.com/partywall/partywall/bench/internal/report"
)

const (
	serverRole = "server"
	clientRole = "client"
)

// Child is the main of a program that is a child: args are what follows process.Argument, and find knows the contenders
// that the program has.
func Child(args []string, in io.Reader, out io.Writer, find func(name string) (contender.Entry, bool)) error {
	// A terminal sends these to all processes. A child ends when its input does.
	signal.Ignore(os.Interrupt, syscall.SIGHUP)
	if len(args) != 5 {
		return fmt.Errorf("a child takes a role, a contender, a directory, an address and MiB, not %q", args)
	}
	role, name, dir, address := args[0], args[1], args[2], args[3]
	entry, ok := find(name)
	if !ok {
		return fmt.Errorf("no contender is called %q", name)
	}
	mib, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	heap := load.NewHeap(mib)
	defer runtime.KeepAlive(heap)
	if role == serverRole {
		err = serve(entry, dir, in, out)
	} else {
		err = (&client{entry: entry, dir: dir, address: address}).answer(in, out)
	}
	if errors.Is(err, process.ErrOrphan) {
		_ = os.RemoveAll(dir) // as nobody else will
		return nil
	}
	return err
}

func serve(entry contender.Entry, dir string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	address := make(chan string, 1)
	served := make(chan error, 1)
	go func() { served <- entry.Serve(ctx, dir, func(a string) { address <- a }) }()
	var ready string
	select {
	case ready = <-address:
	case err := <-served:
		return err
	}
	err := process.Answer(in, out, ready, map[string]process.Handler{
		"usage": process.Plain(process.Self),
		"tidy":  process.Plain(process.Tidy),
	})
	cancel()
	return errors.Join(err, <-served)
}

// A task is a cell, and for how long.
type task struct {
	Cell report.Cell   `json:"cell"`
	For  time.Duration `json:"for"`
}

// client is the state of a client process.
type client struct {
	entry        contender.Entry
	dir, address string
	load         *load.Load
	more         []*load.Load
}

func (c *client) answer(in io.Reader, out io.Writer) error {
	err := process.Answer(in, out, "", map[string]process.Handler{
		"prepare": process.With(c.prepare),
		"run":     process.With(c.run),
		"more":    process.With(c.openMore),
		"close":   process.Plain(c.close),
		"tidy":    process.Plain(process.Tidy),
		"section": process.With(func(d time.Duration) (load.SectionTimes, error) { return load.Section(c.dir+"/section", d) }),
	})
	_, closed := c.close()
	return errors.Join(err, closed)
}

// dial opens a conn for a cell, and calls for a time.
func (c *client) dial(t task) (*load.Load, error) {
	ctx := context.Background()
	conn, err := c.entry.Dial(ctx, c.address)
	if err != nil {
		return nil, err
	}
	l, err := load.New(conn, t.Cell)
	if err != nil {
		return nil, err
	}
	if _, err := l.Run(ctx, t.For); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// prepare opens a conn, and warms it up.
func (c *client) prepare(t task) (_ json.RawMessage, err error) {
	if _, err := c.close(); err != nil {
		return nil, err
	}
	c.load, err = c.dial(t)
	return json.RawMessage("null"), err
}

func (c *client) run(t task) (s report.Sample, err error) {
	if c.load == nil {
		return s, errors.New("nothing is prepared")
	}
	return c.load.Run(context.Background(), t.For)
}

// openMore opens so many more conns, each of which calls once.
func (c *client) openMore(n int) (json.RawMessage, error) {
	for range n {
		l, err := c.dial(task{Cell: report.Cell{Size: smallest, Goroutines: 1}})
		if err != nil {
			return nil, err
		}
		c.more = append(c.more, l)
	}
	return json.RawMessage("null"), nil
}

// close closes all conns.
func (c *client) close() (_ json.RawMessage, err error) {
	for _, l := range append(c.more, c.load) {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
	}
	c.load, c.more = nil, nil
	return json.RawMessage("null"), err
}
