package fixed

import "fmt"

// Publish copies a private value's bytes, src, to shared bytes, dst. Padding
// and blank fields are written as zeros: what this process had there is never
// in dst, not even for an instant.
//
// It does not allocate. The copy as a whole is not atomic; who may write dst
// and who may read it meanwhile is the caller's to arrange.
//
// dst and src must both have Size bytes; it panics otherwise.
func (t *Type) Publish(dst, src []byte) {
	if len(dst) != int(t.schema.Size) || len(src) != int(t.schema.Size) {
		t.badLength("Publish", dst, src)
	}
	if t.solid {
		copy(dst, src)
		return
	}
	for _, s := range t.segments {
		copy(dst[s.start:s.end], src[s.start:s.end])
		clear(dst[s.end:s.next])
	}
}

// Receive copies shared bytes, src, to the bytes of a private value, dst, and
// then makes every bool in dst a valid one: any byte but 0 is true. A bool that
// is neither 0 nor 1 is undefined behaviour in Go, so nobody may look at dst as
// a value before Receive has returned. Every other field takes any bytes, and
// padding in dst is left with whatever stood in src.
//
// It reads src with one copy and never again, so the peer that writes there
// meanwhile can change what arrives but not what has been checked. It does not
// allocate.
//
// dst and src must both have Size bytes; it panics otherwise.
func (t *Type) Receive(dst, src []byte) {
	if len(dst) != int(t.schema.Size) || len(src) != int(t.schema.Size) {
		t.badLength("Receive", dst, src)
	}
	copy(dst, src)
	t.Mend(dst)
}

// Mend makes every bool in dst a valid one, where the bytes of a value have been copied by other means than Receive.
// dst must have Size bytes.
func (t *Type) Mend(dst []byte) {
	if len(t.bools) > 0 {
		mendBools(dst, t.bools)
	}
}

// mendBools makes every byte of the spans in the private bytes b a valid bool. It is apart so that Mend is inlined.
//
//go:noinline
func mendBools(b []byte, spans []span) {
	for _, s := range spans {
		bools := b[s.start:s.end]
		for i, b := range bools {
			if b > 1 {
				bools[i] = 1
			}
		}
	}
}

// badLength is apart so that the copies carry no code for the message.
//
//go:noinline
func (t *Type) badLength(op string, dst, src []byte) {
	panic(fmt.Sprintf("fixed: %s of %s: dst has %d bytes and src %d; both need %d",
		op, t.name, len(dst), len(src), t.schema.Size))
}
