//go:build linux || windows

package procmem

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

type sample struct {
	On    bool
	Count uint32
	Small uint8
	Ratio float64
	Name  [5]byte
}

func TestTyped(t *testing.T) {
	both(t, 1, func(t *testing.T, m memory) {
		want := sample{On: true, Count: 77, Small: 3, Ratio: 20.01, Name: [5]byte{'r', 'e', 'd'}}
		at := m.base + 40
		if err := Store(m.p, at, want); err != nil {
			t.Fatal(err)
		}
		if got, err := Load[sample](m.p, at); got != want || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
		// The bool is one byte, whatever the padding behind it was.
		if _, err := m.p.WriteAt([]byte{2, 0xff, 0xff, 0xff}, at); err != nil {
			t.Fatal(err)
		}
		if got, err := Load[sample](m.p, at); got != want || err != nil {
			t.Errorf("with a bool of 2: %+v, %v", got, err)
		}
		if err := Store(m.p, at, want); err != nil {
			t.Fatal(err)
		}
		if seen := m.show(40, 4); !bytes.Equal(seen, []byte{1, 0, 0, 0}) {
			t.Errorf("the bool and its padding are %x", seen)
		}
		if got, err := Load[struct{}](m.p, at); err != nil {
			t.Errorf("%v, %v", got, err)
		}
		at = m.base + pageSize - 12
		if got, err := Load[sample](m.p, at); got != (sample{}) || !errors.Is(err, ErrUnmapped) || !strings.Contains(err.Error(), "sample") {
			t.Errorf("over the end: %+v, %v", got, err)
		}
		if err := Store(m.p, at, want); !errors.Is(err, ErrUnmapped) {
			t.Errorf("over the end: %v", err)
		}
	})
}

// Load and Store take any reader and writer.
func TestTypedElsewhere(t *testing.T) {
	r := bytes.NewReader([]byte{1, 2, 3, 4, 5})
	if got, err := Load[[4]uint8](r, 1); got != [4]uint8{2, 3, 4, 5} || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Load[uint32](r, 3); got != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Load[uint32](r, 5); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if err := Store(lazy{}, 0, uint32(1)); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
	if _, err := Load[uint32](lazy{}, 0); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// lazy does less than it says.
type lazy struct{}

func (lazy) WriteAt(b []byte, _ int64) (int, error) { return len(b) - 1, nil }
func (lazy) ReadAt(b []byte, _ int64) (int, error)  { return len(b) - 1, nil }

func TestNotFixed(t *testing.T) {
	for name, do := range map[string]func(){
		"Load":  func() { Load[struct{ Name string }](Self(), 0) },
		"Store": func() { Store(Self(), 0, struct{ Name *int }{}) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, name) || !strings.Contains(text, "Name") {
					t.Errorf("%s: %s", name, text)
				}
			}()
			do()
		}()
	}
}

func TestBlockBounds(t *testing.T) {
	b := testBlock(t, 100)
	if b.Size() != 100 || b.Address() == 0 {
		t.Errorf("%d bytes at %#x", b.Size(), b.Address())
	}
	// What lies behind the block, in the same page.
	behind := int64(b.Address()) + 100
	if err := Store(Self(), behind, uint32(0xabcdef)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		off     int64
		size, n int
		read    error
		write   error
	}{
		{0, 100, 100, nil, nil},
		{0, 0, 0, nil, nil},
		{99, 1, 1, nil, nil},
		{99, 2, 1, io.EOF, io.ErrShortWrite},
		{0, 5000, 100, io.EOF, io.ErrShortWrite},
		{100, 0, 0, io.EOF, nil},
		{100, 1, 0, io.EOF, io.ErrShortWrite},
		{1 << 62, 1, 0, io.EOF, io.ErrShortWrite},
	} {
		p := make([]byte, test.size)
		if n, err := b.ReadAt(p, test.off); n != test.n || err != test.read {
			t.Errorf("read %d at %d: %d, %v", test.size, test.off, n, err)
		}
		if n, err := b.WriteAt(p, test.off); n != test.n || !errors.Is(err, test.write) {
			t.Errorf("write %d at %d: %d, %v", test.size, test.off, n, err)
		}
	}
	if n, err := b.ReadAt(make([]byte, 1), -1); n != 0 || err == nil || err == io.EOF {
		t.Errorf("read before the block: %d, %v", n, err)
	}
	if n, err := b.WriteAt(make([]byte, 1), -1); n != 0 || err == nil {
		t.Errorf("write before the block: %d, %v", n, err)
	}
	if got, err := Load[uint32](Self(), behind); got != 0xabcdef || err != nil {
		t.Errorf("behind the block lies %#x, %v", got, err)
	}
	if err := Store(b, 96, uint32(9)); err != nil {
		t.Error(err)
	}
	if got, err := Load[uint32](b, 96); got != 9 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := Load[uint32](b, 97); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if err := b.Abandon(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	for _, off := range []int64{0, -1} {
		if _, err := b.ReadAt(nil, off); !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		if _, err := b.WriteAt(nil, off); !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
	if got, err := Load[uint32](Self(), behind); got != 0xabcdef || err != nil {
		t.Errorf("after Abandon there lies %#x, %v", got, err)
	}
}
