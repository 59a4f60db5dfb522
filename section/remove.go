package section

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/backing"
)

// Remove removes a section that is kept, and what processes that were killed have left of one;
// also if it has another version, or is none at all. Of the options, [Dir] and [Group] matter.
//
// The error wraps [partywall.ErrBusy], and names the processes, if one has it open, and
// [partywall.ErrNotFound] if there is nothing.
func Remove(name string, options ...Option) (err error) {
	if err := partywall.CheckName(name); err != nil {
		return fmt.Errorf("section %q: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("section %q: %w", name, err)
		}
	}()
	cfg := newConfig(options)
	if cfg.inView {
		return errors.New("it lies in memory that belongs to somebody else, who gives that back")
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), Patience, os.ErrDeadlineExceeded)
	defer cancel()
	files, err := backing.OpenFiles(ctx, cfg.place, name, false)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", partywall.ErrBusy, err)
	}
	if err != nil {
		return err
	}
	defer func() {
		files.Unlock()
		err = errors.Join(err, files.Close())
	}()
	if files.Anyone() {
		return fmt.Errorf("%w: %s", partywall.ErrBusy, whoHas(files, name))
	}
	return files.Destroy()
}

// whoHas says which processes have a section open, as far as that can be told.
func whoHas(files *backing.Files, name string) string {
	const most = 8
	i, ok := Info{}, false
	if n, err := readGuarded(files.Anchor(), name); err == nil && n != nil {
		ok = i.inspectRegion(files, n) == nil && len(i.Handles) > 0
	}
	if !ok {
		return "a process has it open"
	}
	var pids []string
	for _, h := range i.Handles {
		if pid := fmt.Sprint(h.PID); !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	switch {
	case len(pids) == 1:
		return "process " + pids[0] + " has it open"
	case len(pids) > most:
		return fmt.Sprintf("processes %s and %d more have it open", strings.Join(pids[:most], ", "), len(pids)-most)
	}
	return "processes " + strings.Join(pids, ", ") + " have it open"
}

// readGuarded is readAnchor of memory that may not be there.
func readGuarded(mem []byte, name string) (n *anchor, err error) {
	defer unguard(guard(), &err)
	return readAnchor(mem, name)
}
