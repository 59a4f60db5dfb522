package section

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/wait"
)

const (
	quickTries = 64                     // of a reader that is lapped, before it lets others run
	lapPause   = 100 * time.Microsecond // between more
)

// take copies a value out of its cell: of a fixed layout into dst, which has its bytes, of
// anything else into body. Without a type, the bytes of a fixed layout go there too, as they are.
func (a *attachment) take(cell []byte, typ *fixed.Type, dst []byte) (body []byte, err error) {
	switch {
	case a.form.kind != fixedForm:
		return a.body(cell)
	case typ == nil:
		return bytes.Clone(cell), nil
	case a.in != nil:
		if a.in.Missing() { // what the section lacks is zero
			clear(dst)
		}
		a.in.Receive(dst, cell)
	default:
		typ.Receive(dst, cell)
	}
	return nil, nil
}

// noVersion is what quick returns if it has not succeeded: no section is ever stored so often.
const noVersion = ^uint64(0)

// quick tries once what read does, for a small value of typ's own layout, and copies it into dst, which has
// typ's bytes; typ is nil where there is no fixed layout. It is the way of nearly every load: it takes no lock and makes no system call.
func (c *core) quick(typ *fixed.Type, dst []byte) (version uint64) {
	a := c.at.Load()
	if typ == nil || a == nil || len(dst) != a.plain {
		return noVersion
	}
	before, touching := guard(), true
	defer func() {
		if touching { // or else recover would cost as much as all the rest
			var fault error
			debug.SetPanicOnFault(before)
			if r := recover(); r != nil {
				faulted(r, &fault)
			}
		}
	}()
	version = noVersion
	w := switchWord(a.swtch.Load())
	if w.cell() < smallCells && !w.moved() {
		copy(dst, a.mem[w.cell()*a.stride:])
		wait.LoadFence()
		whole := switchWord(a.swtch.Load()).version()-w.version() <= smallCells-2 || !checkWhole
		if whole && c.at.Load() == a {
			version = w.version()
		}
	}
	touching = false
	debug.SetPanicOnFault(before)
	typ.Mend(dst)
	return version
}

// read takes the current value out of its cell; again, if it turns out not to be whole. Without a context it
// has [Patience] for that.
func (c *core) read(ctx context.Context, typ *fixed.Type, dst []byte) (version uint64, body []byte, err error) {
	var since time.Time
	for try := 1; ; try++ {
		a := c.at.Load()
		if a == nil {
			return 0, nil, os.ErrClosed
		}
		w, body, whole, err := c.readOnce(a, typ, dst)
		if c.at.Load() != a {
			continue // whatever it was, it was another's
		}
		if err == nil && whole && w.moved() {
			// As long as there is no other region, the frozen value is the section's.
			var followed bool
			if followed, err = c.follow(a); followed {
				continue
			}
		}
		if err != nil {
			return 0, nil, err
		}
		if whole {
			return w.version(), body, nil
		}
		if try > quickTries {
			if since.IsZero() {
				since = time.Now()
			}
			if err := c.patient(ctx, since, func() string {
				return fmt.Sprintf("writers, who have lapped this reader %d times", try)
			}); err != nil {
				return 0, nil, err
			}
			time.Sleep(lapPause)
		}
	}
}

// readOnce takes the current value of a, and reports whether it was whole.
func (c *core) readOnce(a *attachment, typ *fixed.Type, dst []byte) (w switchWord, body []byte, whole bool, err error) {
	defer unguard(guard(), &err)
	if a.large() {
		return c.readPinned(a, typ, dst)
	}
	if w, err = a.load(); err != nil {
		return w, nil, false, err
	}
	body, wrong := a.take(a.cell(w.cell()), typ, dst)
	wait.LoadFence()
	whole = switchWord(a.swtch.Load()).version()-w.version() <= uint64(a.cells-2) || !checkWhole
	if whole {
		err = wrong // of half a value anything can be wrong
	}
	return w, body, whole, err
}

// readPinned keeps writers from the cell meanwhile.
func (c *core) readPinned(a *attachment, typ *fixed.Type, dst []byte) (w switchWord, body []byte, whole bool, err error) {
	if !c.enter(a) {
		return w, nil, false, nil
	}
	defer a.busy.Add(-1)
	if w, err = a.load(); err != nil {
		return w, nil, false, err
	}
	if checkWhole {
		cell := w.cell()
		c.pins.add(cell)
		defer c.pins.remove(cell)
		again, err := a.load()
		if err != nil || again.version() != w.version() {
			return w, nil, false, err
		}
		w = again // it may have been moved
	}
	body, err = a.take(a.cell(w.cell()), typ, dst)
	return w, body, true, err
}

// body copies the bytes of a value that has no fixed layout out of its cell. The length is
// loaded once.
func (a *attachment) body(cell []byte) ([]byte, error) {
	n := binary.LittleEndian.Uint64(cell)
	if n > uint64(a.capacity) {
		return nil, fmt.Errorf("%w: a value of %d bytes where %d fit", partywall.ErrProtocol, n, a.capacity)
	}
	return bytes.Clone(cell[lengthBytes : lengthBytes+int(n)]), nil
}
