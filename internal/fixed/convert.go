package fixed

import (
	"fmt"
	"slices"
)

// Conversion copies the fields that two layouts have in common from the bytes of
// a value in the one to those of a value in the other. With it a program reads
// and writes a section whose layout is the [Union] of its own and others.
//
//	load, err := fixed.NewConversion(section, typ.Schema())
//	store, err := fixed.NewConversion(typ.Schema(), section)
//	...
//	load.Receive(fixed.Bytes(&v), shared) // what v's type has of the section
//
//	copy(spare, shared) // the current value whole, so that what v's type lacks stays
//	store.Apply(spare, fixed.Bytes(&v))
//
// A Conversion never changes after [NewConversion] has returned it, and its
// methods are safe for concurrent use.
type Conversion struct {
	from, to uint32 // bytes of a value
	moves    []move // in the order of dst
	bools    []span // of dst, within the moves
	missing  bool
	same     bool
}

// A move is n bytes that are neighbours in both layouts.
type move struct{ dst, src, n uint32 }

// NewConversion works out how to turn the bytes of a value that from describes
// into those of one that to describes. Fields match by path, wherever they lie.
//
// The error wraps [partywall.ErrLayout] for the same reasons as that of [Union],
// and then in both directions; in its text "here" is to and "there" is from.
// Both schemas have to be well formed, and may be foreign.
func NewConversion(from, to *Schema) (*Conversion, error) {
	partner, shared, err := pairUp(to, from)
	if err != nil {
		return nil, err
	}
	c := &Conversion{
		from:    from.Size,
		to:      to.Size,
		missing: shared < len(to.Fields),
		same:    from.Size == to.Size && slices.Equal(from.Fields, to.Fields),
	}
	for i := range to.Fields {
		if partner[i] < 0 {
			continue
		}
		f := &to.Fields[i]
		c.add(move{f.Offset, from.Fields[partner[i]].Offset, f.Size * f.Count})
		if f.Kind == Bool {
			c.bools = appendSpan(c.bools, span{f.Offset, f.Offset + f.Count})
		}
	}
	return c, nil
}

// add appends m, or lengthens the last move if m follows it in both layouts.
func (c *Conversion) add(m move) {
	if n := len(c.moves); n > 0 {
		last := &c.moves[n-1]
		if last.dst+last.n == m.dst && last.src+last.n == m.src {
			last.n += m.n
			return
		}
	}
	c.moves = append(c.moves, m)
}

// Missing reports whether the layout to has fields that from lacks. Apply and
// Receive leave those in dst as they are.
func (c *Conversion) Missing() bool { return c.missing }

// Same reports whether the two layouts are equal, but for their alignment. Then
// [Type.Publish] and [Type.Receive] do as well and may be faster, and from
// shared memory to shared memory a plain copy does.
func (c *Conversion) Same() bool { return c.same }

// Apply copies the common fields from src, a value laid out by from, to dst, one
// laid out by to, and leaves every other byte of dst alone: fields that from
// lacks, and padding. It reads no padding of src, so none of a private value
// gets into shared memory.
//
// dst may be shared memory, or private bytes that nobody looks at as a Go value;
// into a value, [Conversion.Receive] copies. Each byte of src is read once. Apply
// does not allocate. The copy as a whole is not atomic; who may write dst and who
// may read it meanwhile is the caller's to arrange.
//
//   - src must have the Size bytes of from, and dst those of to; it panics
//     otherwise.
//   - dst and src must not overlap.
func (c *Conversion) Apply(dst, src []byte) {
	if len(dst) != int(c.to) || len(src) != int(c.from) {
		c.badLength("Apply", dst, src)
	}
	c.copy(dst, src)
}

// Receive is [Conversion.Apply] from shared bytes, src, to the bytes of a private
// value, dst. Then it makes every bool that it has copied a valid one: any byte
// but 0 is true. Nobody may look at dst as a value before Receive has returned.
// Bools that from lacks are left alone like all else that it lacks.
func (c *Conversion) Receive(dst, src []byte) {
	if len(dst) != int(c.to) || len(src) != int(c.from) {
		c.badLength("Receive", dst, src)
	}
	c.copy(dst, src)
	mendBools(dst, c.bools)
}

func (c *Conversion) copy(dst, src []byte) {
	for _, m := range c.moves {
		copy(dst[m.dst:m.dst+m.n], src[m.src:m.src+m.n])
	}
}

// badLength is apart so that the copies carry no code for the message.
//
//go:noinline
func (c *Conversion) badLength(op string, dst, src []byte) {
	panic(fmt.Sprintf("fixed: %s of a conversion: dst has %d bytes and src %d; they need %d and %d",
		op, len(dst), len(src), c.to, c.from))
}
