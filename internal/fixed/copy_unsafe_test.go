package fixed_test

import (
	"bytes"
	"fmt"
	"testing"
	"unsafe"

	"github.com/partywall/partywall/internal/fixed"
)

type padded struct {
	A uint8
	B uint32
	_ uint16
	C bool
	D [2]struct {
		E uint16
		F uint8
	}
	_ [3]uint8
	G bool
	H [2]bool
	I uint64
	J uint8
}

type solid struct {
	A [4]uint64
	B [8]uint16
	C float64
	D int64
}

func TestPublishZeroesPadding(t *testing.T) {
	var p padded
	typ := typeOf[padded](t)
	src := bytes.Repeat([]byte{0xff}, typ.Size())
	dst := bytes.Repeat([]byte{0xaa}, typ.Size())
	typ.Publish(dst, src)

	want := make([]byte, typ.Size())
	for _, f := range []struct{ at, n uintptr }{
		{unsafe.Offsetof(p.A), 1}, {unsafe.Offsetof(p.B), 4}, {unsafe.Offsetof(p.C), 1},
		{unsafe.Offsetof(p.D), 3}, {unsafe.Offsetof(p.D) + 4, 3},
		{unsafe.Offsetof(p.G), 1}, {unsafe.Offsetof(p.H), 2}, {unsafe.Offsetof(p.I), 8}, {unsafe.Offsetof(p.J), 1},
	} {
		copy(want[f.at:f.at+f.n], src)
	}
	if !bytes.Equal(dst, want) {
		t.Errorf("got  %x\nwant %x", dst, want)
	}
}

func TestPublishBlankOnly(t *testing.T) {
	typ := typeOf[blank](t)
	src := bytes.Repeat([]byte{0xff}, typ.Size())
	dst := bytes.Clone(src)
	typ.Publish(dst, src)
	if !bytes.Equal(dst, make([]byte, typ.Size())) {
		t.Errorf("got %x", dst)
	}
}

func TestThereAndBack(t *testing.T) {
	typ := typeOf[padded](t)
	in := padded{A: 1, B: 2, C: true, G: true, H: [2]bool{false, true}, I: 1 << 63, J: 9}
	in.D[1].E, in.D[1].F = 3, 4
	shared := make([]byte, typ.Size())
	typ.Publish(shared, fixed.Bytes(&in))
	var out padded
	typ.Receive(fixed.Bytes(&out), shared)
	if out != in {
		t.Errorf("got  %+v\nwant %+v", out, in)
	}

	var a, b empty
	typeOf[empty](t).Publish(nil, fixed.Bytes(&a))
	typeOf[empty](t).Receive(fixed.Bytes(&b), nil)
}

func TestReceiveNormalisesBools(t *testing.T) {
	typ := typeOf[padded](t)
	for b := range 256 {
		shared := bytes.Repeat([]byte{byte(b)}, typ.Size())
		before := bytes.Clone(shared)
		var p padded
		typ.Receive(fixed.Bytes(&p), shared)
		want := byte(1)
		if b == 0 {
			want = 0
		}
		private := fixed.Bytes(&p)
		for _, at := range []uintptr{
			unsafe.Offsetof(p.C), unsafe.Offsetof(p.G), unsafe.Offsetof(p.H), unsafe.Offsetof(p.H) + 1,
		} {
			if private[at] != want {
				t.Errorf("%#x arrived at %d as %#x, want %#x", b, at, private[at], want)
			}
		}
		if p.A != uint8(b) || p.J != uint8(b) || p.I != uint64(b)*0x0101010101010101 {
			t.Errorf("%#x: other fields changed: %+v", b, p)
		}
		if !bytes.Equal(shared, before) {
			t.Error("Receive wrote to its source")
		}
	}
}

func TestLengthPanics(t *testing.T) {
	typ := typeOf[solid](t)
	full := make([]byte, typ.Size())
	for _, n := range []int{0, 63, 65} {
		other := make([]byte, n)
		for _, tt := range []struct {
			want string
			call func()
		}{
			{fmt.Sprintf("fixed: Publish of fixed_test.solid: dst has %d bytes and src 64; both need 64", n), func() { typ.Publish(other, full) }},
			{fmt.Sprintf("fixed: Publish of fixed_test.solid: dst has 64 bytes and src %d; both need 64", n), func() { typ.Publish(full, other) }},
			{fmt.Sprintf("fixed: Receive of fixed_test.solid: dst has %d bytes and src 64; both need 64", n), func() { typ.Receive(other, full) }},
			{fmt.Sprintf("fixed: Receive of fixed_test.solid: dst has 64 bytes and src %d; both need 64", n), func() { typ.Receive(full, other) }},
		} {
			func() {
				defer func() {
					if got := recover(); got != tt.want {
						t.Errorf("panic %v, want %s", got, tt.want)
					}
				}()
				tt.call()
			}()
		}
	}
}

func TestCopiesDoNotAllocate(t *testing.T) {
	ptyp, styp := typeOf[padded](t), typeOf[solid](t)
	pmem, smem := make([]byte, ptyp.Size()), make([]byte, styp.Size())
	var sum uint64
	n := testing.AllocsPerRun(100, func() {
		var p padded
		var s solid
		ptyp.Receive(fixed.Bytes(&p), pmem)
		ptyp.Publish(pmem, fixed.Bytes(&p))
		styp.Receive(fixed.Bytes(&s), smem)
		styp.Publish(smem, fixed.Bytes(&s))
		sum += p.I + s.A[0]
	})
	if n != 0 {
		t.Errorf("%v allocations (sum %d)", n, sum)
	}
}
