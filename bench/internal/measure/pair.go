package measure

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/process"
	"github.com/partywall/partywall/bench/internal/report"
)

// A pair is a contender's two processes. A contender within one process has a client only.
type pair struct {
	contender.Entry
	program        string // the server's, if it has one of its own
	server, client *process.Child
}

// startPair starts them, with files below root.
func startPair(ctx context.Context, e contender.Entry, root string, heapMiB int) (p *pair, err error) {
	p = &pair{Entry: e}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
			p = nil
		}
	}()
	dir := filepath.Join(root, e.Name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return p, err
	}
	heap := strconv.Itoa(heapMiB)
	address := "here"
	if !e.InProcess() {
		if p.program, err = build(ctx, e.Program(), dir); err != nil {
			return p, err
		}
		if p.server, err = process.Start(e.Title+"'s server", p.program, serverRole, e.Name, dir, "", heap); err != nil {
			return p, err
		}
		if address, err = p.server.Ready(ctx); err != nil {
			return p, err
		}
	}
	if p.client, err = process.Start(e.Title+"'s client", "", clientRole, e.Name, dir, address, heap); err != nil {
		return p, err
	}
	_, err = p.client.Ready(ctx)
	return p, err
}

// errNotBuilt is that a server's program could not be built.
var errNotBuilt = errors.New("its server is a program that is built when it is measured, by the go command in the folder bench")

// build builds a server's program into dir, if it has one.
func build(ctx context.Context, program, dir string) (path string, err error) {
	if program == "" {
		return "", nil
	}
	path = filepath.Join(dir, "server.exe")
	if _, err := output(exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", path, program)); err != nil {
		return "", fmt.Errorf("%w: %w", errNotBuilt, err)
	}
	return path, nil
}

// addVersions adds those of the server's program, if it has one of its own.
func (p *pair) addVersions(versions map[string]string) {
	if p.program == "" {
		return
	}
	info, err := buildinfo.ReadFile(p.program)
	if err != nil {
		return // one built without
	}
	for _, m := range info.Deps {
		if m.Replace == nil {
			versions[m.Path] = m.Version
		}
	}
}

func (p *pair) stop() (err error) {
	for _, c := range []*process.Child{p.client, p.server} {
		if c != nil {
			err = errors.Join(err, c.Stop())
		}
	}
	return err
}

func (p *pair) name() string  { return p.Name }
func (p *pair) title() string { return p.Title }

// does reports whether the pair takes part in a cell.
func (p *pair) does(c report.Cell) bool {
	switch {
	case c.Deadline:
		return p.Name == contender.PartywallCall
	case p.InProcess():
		return c.Rate == 0 && c.Size == smallest
	}
	return true
}

// run measures a cell.
func (p *pair) run(ctx context.Context, c report.Cell, d time.Duration) (s report.Sample, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*d+patience)
	defer cancel()
	var before, after process.Usage
	if err := p.client.Ask(ctx, "prepare", task{c, d / 10}, nil); err != nil {
		return s, err
	}
	if p.server != nil {
		if err := p.server.Ask(ctx, "usage", nil, &before); err != nil {
			return s, err
		}
	}
	if err := p.client.Ask(ctx, "run", task{c, d}, &s); err != nil {
		return s, fmt.Errorf("%v: %w", c, err)
	}
	if p.server != nil {
		if err := p.server.Ask(ctx, "usage", nil, &after); err != nil {
			return s, err
		}
	}
	s.ServerCPU, s.ServerRSS = after.CPU-before.CPU, after.RSS
	s.ServerAllocs = float64(after.Mallocs-before.Mallocs) / float64(s.Calls)
	return s, p.client.Ask(ctx, "close", nil, nil)
}
