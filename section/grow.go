package section

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/wait"
)

// follow goes on to the current region, if that is another than a, and reports whether it has. It waits for
// no other process.
func (c *core) follow(a *attachment) (followed bool, err error) {
	if c.at.Load() != a {
		return true, nil
	}
	if !c.touch() {
		return false, os.ErrClosed
	}
	defer c.watching.Add(-1)
	defer unguard(guard(), &err)
	if c.anchor.current.Load() == a.generation {
		return false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.followed(a)
}

// followed is follow for who has the handle's lock, and keeps the anchor mapped.
func (c *core) followed(a *attachment) (bool, error) {
	if c.at.Load() != a {
		return true, nil
	}
	for {
		current := c.anchor.current.Load()
		switch {
		case current == a.generation:
			return false, nil
		case current < a.generation:
			return false, fmt.Errorf("%w: it has gone from generation %d back to %d", partywall.ErrProtocol, a.generation, current)
		}
		next, err := c.attachTo(current)
		if errors.Is(err, os.ErrNotExist) && c.anchor.current.Load() != current {
			continue // it has been moved again
		}
		if err != nil {
			return false, fmt.Errorf("go on to its generation %d: %w", current, err)
		}
		c.swap(a, next)
		return true, nil
	}
}

// attachTo maps the region of a generation, for values of the program's form.
func (c *core) attachTo(generation uint64) (*attachment, error) {
	r, err := c.backing.Open(generation, c.readOnly)
	if err != nil {
		return nil, err
	}
	a, err := attach(r, generation)
	if err != nil {
		return nil, err
	}
	if err := a.fit(c.wanted(a.form)); err != nil {
		a.region.Close()
		return nil, err
	}
	return a, nil
}

// settle gets a store on whose region has been moved: it follows, or if there is nothing to follow,
// whoever has moved the region has died, or is about to finish. Then it takes the name
// lock and does it for him.
func (c *core) settle(ctx context.Context, a *attachment) (err error) {
	if followed, err := c.follow(a); followed || err != nil {
		return err
	}
	if !c.touch() {
		return os.ErrClosed
	}
	defer c.watching.Add(-1)
	defer unguard(guard(), &err)
	if ctx == noContext {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(context.Background(), endurance, os.ErrDeadlineExceeded)
		defer cancel()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.life, func() { cancel(os.ErrClosed) })()
	if err := c.lockName(ctx); err != nil {
		return err
	}
	defer c.backing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if followed, err := c.followed(a); followed || err != nil {
		return err
	}
	return c.grow(ctx, a)
}

// grow makes a successor of the current region, a, and goes on to it. It needs the name lock.
func (c *core) grow(ctx context.Context, a *attachment) error {
	next, err := c.succeed(ctx, a)
	if err != nil {
		return err
	}
	c.backing.Drop(a.generation)
	if err := next.fit(c.wanted(next.form)); err != nil {
		next.region.Close()
		return err
	}
	c.swap(a, next)
	return nil
}

// succeed is the protocol's table "Growing". If a has been moved already, its value is
// frozen, and nobody needs its lock.
func (c *core) succeed(ctx context.Context, a *attachment) (next *attachment, err error) {
	to, err := c.wanted(a.form).union(a.form)
	if err != nil {
		return nil, err
	}
	// The memory comes first: making it can take long, and writers need not wait for that.
	if next, err = c.newRegion(a.generation+1, to); err != nil {
		return nil, err
	}
	if err = c.move(ctx, a, next); err != nil {
		next.region.Close()
		c.backing.Drop(next.generation)
		return nil, err
	}
	return next, nil
}

// move takes the value of a to next, and makes that the current region. After an error it is not.
func (c *core) move(ctx context.Context, a, next *attachment) (err error) {
	var held lockWord
	defer c.endStore(a, &held, guard(), &err)
	w, err := a.load()
	if err == nil && !w.moved() {
		if held, err = c.acquire(ctx, a); err == nil {
			w, err = a.load()
		}
	}
	if err != nil {
		return err
	}
	from, cell := a.cell(w.cell()), next.cell(0)
	if next.form.kind == fixedForm {
		conversion, err := fixed.NewConversion(a.form.fixed, next.form.fixed)
		if err != nil {
			return err
		}
		conversion.Apply(cell, from)
	} else {
		copy(cell, from)
	}
	next.swtch.Store(uint64(newSwitch(w.version(), 0)))
	if held != 0 {
		wait.Announce64(a.lock, uint64(held|commitBit))
		c.ring()
		a.swtch.Store(uint64(w | movedBit))
	}
	c.anchor.current.Store(next.generation)
	if held != 0 {
		a.letGo(held)
	}
	return nil
}

// newRegion makes the memory of a generation.
func (c *core) newRegion(generation uint64, f form) (*attachment, error) {
	if f.capacity > maxCell-largeAlign {
		return nil, fmt.Errorf("%w: values of %d bytes; at most %d are possible here", partywall.ErrTooLarge, f.capacity, maxCell-largeAlign)
	}
	g := newGeometry(f.kind, generation, f.capacity, len(f.schema))
	r, err := c.backing.Create(generation, g.size)
	if err != nil {
		return nil, err
	}
	g.write(r.Bytes(), f.schema)
	return newAttachment(r, g, f), nil
}
