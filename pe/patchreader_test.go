package pe

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/partywall/partywall"
)

func TestPatchReader(t *testing.T) {
	k := roomy()
	f := parsed(t, k.draw())
	p, err := f.AddSection(NewSection{Name: "Counter", Init: []byte("0123456789")}, PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := written(t, p)
	if err := iotest.TestReader(io.NewSectionReader(p, 0, p.Size()), b); err != nil {
		t.Error(err)
	}
	for size := 1; size < 100; size += 7 {
		for off := 0; off < len(b); off += size {
			part := make([]byte, size)
			n, err := p.ReadAt(part, int64(off))
			if want := b[off:min(off+size, len(b))]; !bytes.Equal(part[:n], want) || (n < size) != (err == io.EOF) {
				t.Fatalf("%d bytes at %#x: %q, want %q, %v", size, off, part[:n], want, err)
			}
		}
	}
	if _, err := p.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset")
	}
	if n, err := p.WriteTo(&limited{100}); n != 100 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%d bytes, %v", n, err)
	}
	// A file that becomes shorter meanwhile.
	p.r = bytes.NewReader(b[:0x500])
	if n, err := p.WriteTo(io.Discard); n != 0x500 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%#x bytes, %v", n, err)
	}
}

// A large file is read in pieces, and only offsets are limited.
func TestPatchLarge(t *testing.T) {
	k := roomy()
	head := k.draw()
	r := &sparse{head: head, size: 32 << 20}
	f, err := New(r, r.size)
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.AddSection(NewSection{Name: "Counter", Size: 8, Init: []byte("abcdefgh")}, PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if _, err := p.ReadAt(b, r.size); err != nil || string(b) != "abcdefgh" || p.Size() != r.size+0x200 {
		t.Errorf("%q, %d bytes, %v", b, p.Size(), err)
	}
	if r.most > 1<<20 {
		t.Errorf("it read %d bytes at once", r.most)
	}
	r.size = 4<<30 - 0x100
	f, err = New(r, r.size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.AddSection(NewSection{Name: "Counter", Size: 8}, PatchOptions{}); !errors.Is(err, partywall.ErrTooLarge) {
		t.Error(err)
	}
}

// sparse is a large file of zeros behind a head.
type sparse struct {
	head []byte
	size int64
	most int
}

func (s *sparse) ReadAt(b []byte, off int64) (int, error) {
	s.most = max(s.most, len(b))
	clear(b)
	if off < int64(len(s.head)) {
		copy(b, s.head[off:])
	}
	if left := s.size - off; int64(len(b)) > left {
		return int(left), io.EOF
	}
	return len(b), nil
}
