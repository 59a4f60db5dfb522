//go:build linux || windows

package call

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/partywall/partywall/internal/region"
)

// The bytes of a region as another program would read them.
func TestControlRegion(t *testing.T) {
	g := geometry{slots: 128, argRoom: 512, resultRoom: 448}
	r, err := region.Create("control", g.size(), region.Sparse)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, mem := newControl(g, r), r.Bytes()
	c.writeHeader()
	want := append([]byte("PWALLCT3"), 3, 0, 0, 0, 128, 0, 0, 0, 0, 2, 0, 0, 0xc0, 1, 0, 0)
	if got := mem[:24]; !bytes.Equal(got, want) {
		t.Errorf("header % x, want % x", got, want)
	}

	c.clientBell.Store(0x01020304)
	c.serverBell.Store(0x05060708)
	c.pending[1].Store(0x1122334455667788)
	for at, want := range map[int]uint32{128: 0x01020304, 256: 0x05060708, 384: 0, 392: 0x55667788, 396: 0x11223344} {
		if got := binary.LittleEndian.Uint32(mem[at:]); got != want {
			t.Errorf("at %d: %#x, want %#x", at, got, want)
		}
	}

	// Every slot's parts lie where they should, and no two share a byte.
	for i := range g.slots {
		s, at := c.slot(i), 4096+i*1152
		s.req.seq.Store(uint32(i) + 1)
		s.rsp.seq.Store(^uint32(i))
		for j := range s.arg {
			s.arg[j] += 0x41
		}
		for j := range s.result {
			s.result[j] += 0x42
		}
		if cap(s.arg) != 512 || cap(s.result) != 448 {
			t.Fatalf("slot %d: rooms of %d and %d", i, cap(s.arg), cap(s.result))
		}
		if got := binary.LittleEndian.Uint32(mem[at:]); got != uint32(i)+1 {
			t.Fatalf("slot %d: req %d", i, got)
		}
		if got := binary.LittleEndian.Uint32(mem[at+640:]); got != ^uint32(i) {
			t.Fatalf("slot %d: rsp %#x", i, got)
		}
	}
	if a, b := bytes.Count(mem, []byte{0x41}), bytes.Count(mem, []byte{0x42}); a < 128*512 || b < 128*448 {
		t.Errorf("%d bytes of arguments, %d of results", a, b)
	}
	for i := range g.slots {
		at := 4096 + i*1152
		for _, room := range []struct {
			from, to int
			want     byte
		}{{at + 64, at + 576, 0x41}, {at + 704, at + 1152, 0x42}, {at + 576, at + 640, 0}} {
			if n := bytes.Count(mem[room.from:room.to], []byte{room.want}); n != room.to-room.from {
				t.Fatalf("slot %d, bytes %d to %d: %d are %#x", i, room.from-at, room.to-at, n, room.want)
			}
		}
	}
}
