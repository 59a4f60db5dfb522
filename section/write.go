package section

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/wait"
)

// A payload is a value on its way into a cell.
type payload struct {
	typ  *fixed.Type // of a fixed layout
	data []byte
	of   *attachment // whose layout data has, without a type; nil if it is no matter
}

// anyVersion stands for the version that a store does not ask for.
const anyVersion = ^uint64(0)

// store makes p the current value, if the version is the one expected, and returns the
// new one. Without a context it has [Patience]. The error is errStale if the version is another, or if p
// has the layout of another region than the current one.
func (c *core) store(ctx context.Context, expect uint64, p *payload) (uint64, error) {
	if c.readOnly {
		return 0, errReadOnly
	}
	for {
		a := c.at.Load()
		if a == nil {
			return 0, os.ErrClosed
		}
		if !c.enter(a) {
			continue
		}
		version, err := c.storeInto(ctx, a, expect, p)
		a.busy.Add(-1)
		if err == nil {
			if c.notify != nil {
				c.notify()
			}
			return version, nil
		}
		if c.at.Load() != a {
			continue // it was another's, or there is none any more
		}
		if !errors.Is(err, errMoved) {
			return 0, err
		}
		if err := c.settle(ctx, a); err != nil {
			return 0, err
		}
	}
}

// storeInto is the protocol's table "Storing".
func (c *core) storeInto(ctx context.Context, a *attachment, expect uint64, p *payload) (version uint64, err error) {
	if a.form.kind != fixedForm && len(p.data) > a.capacity {
		if w, err := a.peek(); err == nil && w.moved() {
			return 0, errMoved // to where there may be more room
		}
		return 0, fmt.Errorf("%w: a value of %d bytes, and %d fit: open it with a larger MaxSize", partywall.ErrTooLarge, len(p.data), a.capacity)
	}
	if p.of != nil && p.of != a {
		return 0, errStale
	}
	var held lockWord
	defer c.endStore(a, &held, guard(), &err)
	var since time.Time
	var w switchWord
	var spare int
	for pause := shortPause; ; pause = min(2*pause, longPause) {
		if held, err = c.acquire(ctx, a); err != nil {
			return 0, err
		}
		if w, err = a.load(); err != nil {
			return 0, err
		}
		if w.moved() {
			return 0, errMoved
		}
		if expect != anyVersion && w.version() != expect {
			return 0, errStale
		}
		if spare = c.spare(a, w.cell()); spare >= 0 {
			break
		}
		a.lock.Store(uint64(held.free()))
		held = 0
		if c.at.Load() != a {
			return 0, errMoved // or closed
		}
		if since.IsZero() {
			since = time.Now()
		}
		if err := c.patient(ctx, since, func() string {
			return "processes that read, and leave no cell to write to (" + c.readers() + ")"
		}); err != nil {
			return 0, err
		}
		time.Sleep(pause)
	}
	a.fill(a.cell(spare), a.cell(w.cell()), p)
	wait.Announce64(a.lock, uint64(held|commitBit))
	c.ring()
	next := newSwitch(w.version()+1, spare)
	a.swtch.Store(uint64(next))
	a.lock.Store(uint64(held.free()))
	return next.version(), nil
}

// endStore is unguard for whoever may hold the lock of a region.
func (c *core) endStore(a *attachment, held *lockWord, before bool, err *error) {
	debug.SetPanicOnFault(before)
	r := recover()
	if r == nil && *err == nil {
		return
	}
	if *held != 0 {
		a.letGo(*held)
	}
	if r != nil {
		faulted(r, err)
	}
}

// letGo releases the lock after an error.
func (a *attachment) letGo(held lockWord) {
	var fault error
	defer unguard(guard(), &fault)
	a.lock.CompareAndSwap(uint64(held), uint64(held.free()))
	a.lock.CompareAndSwap(uint64(held|commitBit), uint64(held.free()))
}

// ring wakes those who sleep.
func (c *core) ring() {
	if c.anchor.sleepers.Load() == 0 {
		return
	}
	c.anchor.sleepers.Store(0)
	c.anchor.bell.Add(1)
	c.backing.Wake(c.anchor.bell, c.asleep, c.anchor.entries)
}

// asleep reports whether a participant may sleep.
func (c *core) asleep(number int) bool { return c.anchor.entry(number).watchers.Load() != 0 }

// fill writes p into a cell, whose neighbour has the current value.
func (a *attachment) fill(cell, current []byte, p *payload) {
	switch {
	case a.form.kind != fixedForm:
		n := copy(cell[lengthBytes:], p.data)
		binary.LittleEndian.PutUint64(cell, uint64(n))
	case p.typ == nil: // it has the region's layout
		copy(cell, p.data)
	case a.out == nil:
		p.typ.Publish(cell, p.data)
	default: // what the program does not know stays
		copy(cell, current)
		a.out.Apply(cell, p.data)
	}
}

// spare returns a cell that nobody reads, or -1.
func (c *core) spare(a *attachment, current int) int {
	if !a.large() {
		return (current + 1) % a.cells
	}
	used := c.used((1<<a.cells - 1) &^ (1 << current))
	for i := range a.cells {
		if i != current && used&(1<<i) == 0 {
			return i
		}
	}
	return -1
}

// used returns which of the cells living participants have pinned. Pins of dead ones
// are cleared.
func (c *core) used(of uint8) (used uint8) {
	if !checkWhole {
		return 0
	}
	for i := range c.anchor.entries {
		e := c.anchor.entry(i)
		word := e.pins.Load()
		cells := pinned(word) & of &^ used
		switch {
		case cells == 0:
		case c.dead(i):
			e.pins.CompareAndSwap(word, word&^(1<<pinsShift-1))
		default:
			used |= cells
		}
	}
	return used
}
