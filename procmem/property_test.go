//go:build linux || windows

package procmem

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is what memory should be: its bytes, and what may be done with each page.
// Behind its end there is none.
type model struct {
	bytes []byte
	state []pageState
}

// reach returns how many of size bytes at off can be moved.
func (m *model) reach(op operation, off, size int) int {
	n := 0
	for n < size && off+n < len(m.bytes) {
		s := m.state[(off+n)/pageSize]
		if s == pageNoAccess || s == pageReadOnly && op == writing {
			break
		}
		n += min(size-n, pageSize-(off+n)%pageSize)
	}
	return n
}

func TestModel(t *testing.T) {
	const pages = 9
	both(t, pages, func(t *testing.T, m memory) {
		want := model{make([]byte, pages*pageSize), make([]pageState, pages)}
		rapid.Check(t, func(t *rapid.T) {
			for range rapid.IntRange(1, 8).Draw(t, "steps") {
				if protects && rapid.IntRange(0, 2).Draw(t, "protect") == 0 {
					page := rapid.IntRange(0, pages-1).Draw(t, "page")
					s := rapid.SampledFrom([]pageState{pageUsable, pageUsable, pageReadOnly, pageNoAccess}).Draw(t, "state")
					m.set(page, s)
					want.state[page] = s
				}
				off := rapid.IntRange(0, pages*pageSize+100).Draw(t, "off")
				size := rapid.IntRange(0, pages*pageSize/2).Draw(t, "size")
				b := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, size)
				op := operation(rapid.Bool().Draw(t, "write"))
				reach := want.reach(op, off, size)

				var n int
				var err error
				if op == writing {
					n, err = m.p.WriteAt(b, m.base+int64(off))
					if reach > 0 {
						copy(want.bytes[off:off+reach], b)
					}
				} else {
					n, err = m.p.ReadAt(b, m.base+int64(off))
					if n == reach && n > 0 && !bytes.Equal(b[:n], want.bytes[off:off+n]) {
						t.Fatalf("read other bytes")
					}
				}
				if n != reach || (err == nil) != (n == size) || err != nil && !errors.Is(err, ErrUnmapped) {
					t.Fatalf("%v %d bytes at %d: %d, %v; want %d", op, size, off, n, err, reach)
				}
			}
		})
		for page := range pages {
			m.set(page, pageUsable)
		}
		if got := m.show(0, pages*pageSize); !slices.Equal(got, want.bytes) {
			t.Error("the process has other bytes than were written")
		}
	})
}
