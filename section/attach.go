package section

import (
	"fmt"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/region"
)

// An attachment is a region that a handle has mapped, with what follows from its header.
// It is unmapped when the handle has gone on to another and nobody of it is busy.
type attachment struct {
	geometry
	form form

	region *region.Region
	swtch  *atomic.Uint64 // the switch word
	lock   *atomic.Uint64
	mem    []byte // the cells
	plain  int    // the size of values that a load may simply copy: small, and of the program's own layout; -1 if they are not

	// busy counts the goroutines of this handle that write here, or read with a pin. Plain
	// reads are not counted: what they have read is dropped if the attachment has changed.
	busy atomic.Int32
	_    [64]byte // what loads need is not on the line that stores change

	// For a fixed layout of another generation than the program's. Nil where they are the same.
	in, out *fixed.Conversion
}

// attach reads the header of a mapped region. It owns r, also if it fails.
func attach(r *region.Region, generation uint64) (a *attachment, err error) {
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	defer unguard(guard(), &err)
	g, schema, err := readGeometry(r.Bytes(), generation)
	if err != nil {
		return nil, err
	}
	f, err := parseForm(g, schema)
	if err != nil {
		return nil, err
	}
	return newAttachment(r, g, f), nil
}

func newAttachment(r *region.Region, g geometry, f form) *attachment {
	mem := r.Bytes()
	return &attachment{
		geometry: g,
		form:     f,
		region:   r,
		swtch:    region.At[atomic.Uint64](mem, regionSwitch),
		lock:     region.At[atomic.Uint64](mem, regionLock),
		mem:      mem[g.first : g.first+g.cells*g.stride],
		plain:    -1,
	}
}

// fit finds out how values of the program's form lie in the region's. The error wraps
// [partywall.ErrLayout].
func (a *attachment) fit(want form) (err error) {
	if want.kind != a.form.kind {
		_, err = want.union(a.form)
		return err
	}
	if want.kind != fixedForm {
		return nil
	}
	if a.in, err = fixed.NewConversion(a.form.fixed, want.fixed); err != nil {
		return err
	}
	if a.in.Same() {
		a.in = nil
		if a.cells == smallCells {
			a.plain = a.capacity
		}
		return nil
	}
	a.out, err = fixed.NewConversion(want.fixed, a.form.fixed)
	return err
}

// load returns the switch word, checked.
func (a *attachment) load() (switchWord, error) {
	w := switchWord(a.swtch.Load())
	if w.cell() >= a.cells {
		return w, a.broken(w)
	}
	return w, nil
}

func (a *attachment) broken(w switchWord) error {
	return fmt.Errorf("%w: its switch word %#x names cell %d of %d", partywall.ErrProtocol, uint64(w), w.cell(), a.cells)
}

// cell returns the bytes of a cell, which are those of a value and of its length.
func (a *attachment) cell(i int) []byte {
	return a.mem[i*a.stride : i*a.stride+a.content()+a.capacity]
}
