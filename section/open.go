package section

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/backing"
)

// openCore creates or joins a section.
func openCore(name string, want form, cfg *config) (_ *core, err error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, err
	}
	c := &core{name: name, want: want, readOnly: cfg.readOnly, notify: cfg.notify}
	c.life, c.end = context.WithCancel(context.Background())
	defer func() { err = c.wrap(err) }()
	ctx, cancel := context.WithTimeoutCause(context.Background(), endurance, os.ErrDeadlineExceeded)
	defer cancel()
	if cfg.inView {
		c.backing, err = openView(ctx, cfg.view)
	} else {
		c.backing, err = backing.OpenFiles(ctx, cfg.place, name, !cfg.mustExist)
	}
	if err != nil {
		return nil, err
	}
	if err := c.join(ctx, cfg); err != nil {
		if a := c.at.Load(); a != nil {
			a.region.Close()
		}
		c.backing.Release()
		if c.created {
			err = errors.Join(err, c.backing.Destroy())
		}
		c.backing.Unlock()
		c.backing.Close()
		return nil, err
	}
	c.backing.Unlock()
	return c, nil
}

// lockName takes the name lock, and leaves a note who has it.
func (c *core) lockName(ctx context.Context) error {
	locked := c.backing.Lock(ctx)
	var err error
	func() {
		defer unguard(guard(), &err)
		if locked != nil {
			err = fmt.Errorf("%w (process %d)", locked, c.anchor.holder.Load())
			return
		}
		c.anchor.holder.Store(uint32(os.Getpid()))
	}()
	if err != nil && locked == nil {
		c.backing.Unlock()
	}
	return err
}

// join makes the section if it is not there, and becomes a participant. It has the name lock.
func (c *core) join(ctx context.Context, cfg *config) (err error) {
	defer unguard(guard(), &err)
	there, err := c.find()
	switch {
	case err != nil:
		return err
	case there && cfg.mustCreate:
		return fmt.Errorf("%w already", os.ErrExist)
	case !there && cfg.mustExist:
		return errors.Join(fmt.Errorf("%w: no process has it open", partywall.ErrNotFound), c.backing.Destroy())
	case !there && c.want.kind == 0:
		return fmt.Errorf("%w: no process has it open, and nobody says what it holds", partywall.ErrNotFound)
	case !there:
		if err := c.create(); err != nil {
			return err
		}
	}
	c.anchor.holder.Store(uint32(os.Getpid()))
	if cfg.keep {
		c.anchor.flags.Or(keepFlag)
	}
	return c.participate(ctx)
}

// find reports whether the section is there: in use, or kept. What dead processes have left does
// not count.
func (c *core) find() (bool, error) {
	anyone := c.backing.Anyone()
	anchor, err := readAnchor(c.backing.Anchor(), c.name)
	if err != nil {
		if !anyone {
			err = fmt.Errorf("%w; no process uses it: partywall section rm removes it", err)
		}
		return false, err
	}
	if anchor == nil {
		if anyone {
			return false, fmt.Errorf("%w: its anchor has no beginning", partywall.ErrProtocol)
		}
		return false, nil
	}
	c.anchor = anchor
	kept := anchor.flags.Load()&keepFlag != 0 || !c.backing.Grows()
	current := anchor.current.Load()
	if anyone && current == 0 {
		return false, fmt.Errorf("%w: processes use it, and its anchor names no region", partywall.ErrProtocol)
	}
	return (anyone || kept) && current != 0, nil
}

// create makes an anchor and a first region with the zero value.
func (c *core) create() error {
	c.created = true
	entries := Participants
	if n := len(c.backing.Anchor()); !c.backing.Grows() {
		entries = (n - anchorTable) / entryBytes
	}
	if err := c.backing.Format(anchorBytes(entries)); err != nil {
		return fmt.Errorf("room for its anchor: %w", err)
	}
	c.anchor = newAnchor(c.backing.Anchor(), entries)
	if c.want.kind != fixedForm && c.want.capacity == 0 {
		c.want.capacity = DefaultMaxSize
	}
	a, err := c.newRegion(1, c.want)
	if err != nil {
		return err
	}
	a.region.Close()
	c.anchor.current.Store(1)
	c.anchor.write(c.name)
	return nil
}

// participate attaches to the current region, takes a number, and grows the region if the program's
// type has what it lacks.
func (c *core) participate(ctx context.Context) (err error) {
	current := c.anchor.current.Load()
	r, err := c.backing.Open(current, c.readOnly)
	if err != nil {
		return fmt.Errorf("its generation %d: %w", current, err)
	}
	a, err := attach(r, current)
	if err != nil {
		return err
	}
	c.at.Store(a)
	want := c.wanted(a.form)
	need, err := want.union(a.form)
	if err == nil {
		err = a.fit(want)
	}
	if err == nil {
		err = c.enlist(a)
	}
	if err != nil {
		return err
	}
	c.introduce()
	defer func() {
		if err != nil {
			_ = c.forget()
		}
	}()
	w, err := a.load()
	if err != nil {
		return err
	}
	grows := need.capacity != a.form.capacity || need.fixed != a.form.fixed
	if (grows || w.moved()) && !c.readOnly {
		return c.grow(ctx, a)
	}
	return nil
}

// enlist takes a number that nobody has, and that the lock word does not name as its holder: who waits
// for the lock would take the newcomer for that. Nor does it take the last holder's, if there is another: people
// would take the newcomer for who has written last.
func (c *core) enlist(a *attachment) error {
	for _, any := range []bool{false, true} {
		for number := range c.anchor.entries {
			if w := lockWord(a.lock.Load()); !any && w != 0 && w.owner() == number {
				continue
			}
			ok, err := c.backing.Claim(number)
			if err != nil {
				return err
			}
			// Only now: before, somebody who lived might have taken the lock, and died.
			if w := lockWord(a.lock.Load()); ok && w.held() && w.owner() == number {
				c.backing.Unclaim()
				continue
			}
			if ok {
				c.number = number
				return nil
			}
		}
	}
	return fmt.Errorf("%w: %d handles have it open, and no more can", partywall.ErrBusy, c.anchor.entries)
}
