//go:build linux || windows

package procmem

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func TestRoundTrip(t *testing.T) {
	both(t, 300, func(t *testing.T, m memory) {
		for _, size := range []int{1, 16, pageSize, 300 * pageSize} {
			off := 300*pageSize - size
			want := bytes.Repeat([]byte{byte(size), 2, 3, 5, 7}, size/5+1)[:size]
			if n, err := m.p.WriteAt(want, m.base+int64(off)); n != size || err != nil {
				t.Fatalf("write %d bytes: %d, %v", size, n, err)
			}
			if seen := m.show(off, min(size, 100)); !bytes.Equal(seen, want[:min(size, 100)]) {
				t.Errorf("the process sees %x", seen)
			}
			got := make([]byte, size)
			if n, err := m.p.ReadAt(got, m.base+int64(off)); n != size || err != nil {
				t.Fatalf("read %d bytes: %d, %v", size, n, err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes come back different", size)
			}
		}
	})
}

// A transfer over the end of what is mapped stops there, and says so.
func TestStops(t *testing.T) {
	const pages = 297
	both(t, pages, func(t *testing.T, m memory) {
		end := m.base + pages*pageSize
		for _, before := range []int{0, 1, 1000, pageSize, 5*pageSize + 1, pages * pageSize} {
			b := make([]byte, before+100)
			n, err := m.p.ReadAt(b, end-int64(before))
			checkStop(t, m.p, n, err, before, end)
			n, err = m.p.WriteAt(b, end-int64(before))
			checkStop(t, m.p, n, err, before, end)
		}
	})
}

func checkStop(t *testing.T, p *Process, n int, err error, want int, at int64) {
	t.Helper()
	if n != want || !errors.Is(err, ErrUnmapped) {
		t.Errorf("%d bytes, %v; want %d and %v", n, err, want, ErrUnmapped)
		return
	}
	for _, part := range []string{fmt.Sprintf("%#x", at), fmt.Sprintf("process %d", p.PID()), fmt.Sprintf("after %d of", n)} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

func TestProtected(t *testing.T) {
	if !protects {
		t.Skip("NOT TESTED: protected pages. Wine reads and writes them all the same")
	}
	both(t, 3, func(t *testing.T, m memory) {
		b := make([]byte, 2*pageSize)
		m.set(1, pageReadOnly)
		if n, err := m.p.ReadAt(b, m.base); n != len(b) || err != nil {
			t.Errorf("read a read-only page: %d, %v", n, err)
		}
		n, err := m.p.WriteAt(b, m.base)
		checkStop(t, m.p, n, err, pageSize, m.base+pageSize)
		m.set(1, pageNoAccess)
		n, err = m.p.ReadAt(b, m.base+5)
		checkStop(t, m.p, n, err, pageSize-5, m.base+pageSize)
		m.set(1, pageUnmapped)
		n, err = m.p.ReadAt(b, m.base+5)
		checkStop(t, m.p, n, err, pageSize-5, m.base+pageSize)
	})
}

func TestNoAddress(t *testing.T) {
	both(t, 1, func(t *testing.T, m memory) {
		b := make([]byte, 16)
		for _, at := range []int64{0, 1, -1, math.MinInt64, math.MaxInt64, math.MaxInt64 - 15, 1 << 62} {
			if n, err := m.p.ReadAt(b, at); n != 0 || !errors.Is(err, ErrUnmapped) {
				t.Errorf("read at %#x: %d, %v", at, n, err)
			}
			if n, err := m.p.WriteAt(b, at); n != 0 || !errors.Is(err, ErrUnmapped) {
				t.Errorf("write at %#x: %d, %v", at, n, err)
			}
			if n, err := m.p.ReadAt(nil, at); n != 0 || err != nil {
				t.Errorf("read nothing at %#x: %d, %v", at, n, err)
			}
			if n, err := m.p.WriteAt(b[:0], at); n != 0 || err != nil {
				t.Errorf("write nothing at %#x: %d, %v", at, n, err)
			}
		}
	})
}

func TestKilled(t *testing.T) {
	m, child := theirs(t, 2)
	if m.p.PID() != child.PID() || !m.p.Alive() {
		t.Errorf("process %d, alive %t", m.p.PID(), m.p.Alive())
	}
	child.Kill()
	child.Wait()
	b := make([]byte, 16)
	for name, do := range map[string]func() (int, error){
		"read":    func() (int, error) { return m.p.ReadAt(b, m.base) },
		"write":   func() (int, error) { return m.p.WriteAt(b, m.base) },
		"regions": func() (int, error) { r, err := m.p.Regions(); return len(r), err },
	} {
		if n, err := do(); n != 0 || !errors.Is(err, partywall.ErrPeerGone) || !strings.Contains(err.Error(), fmt.Sprint(child.PID())) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if m.p.Alive() {
		t.Error("it is alive")
	}
	if p, err := Open(child.PID()); !errors.Is(err, partywall.ErrNotFound) {
		t.Errorf("open again: %v, %v", p, err)
	}
}

func TestNotFound(t *testing.T) {
	for _, pid := range []int{0, -1, math.MinInt, math.MaxInt32, math.MaxInt} {
		p, err := Open(pid)
		if p != nil || !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), fmt.Sprint(pid)) {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}

func TestClosed(t *testing.T) {
	leaks := proctest.Watch(t)
	m, child := theirs(t, 1)
	for range 2 {
		if err := m.p.Close(); err != nil {
			t.Error(err)
		}
	}
	b := make([]byte, 1)
	_, readErr := m.p.ReadAt(b, m.base)
	_, writeErr := m.p.WriteAt(b, m.base)
	_, allocErr := m.p.Alloc(1)
	_, regionsErr := m.p.Regions()
	_, emptyErr := m.p.ReadAt(nil, m.base)
	for _, err := range []error{readErr, writeErr, allocErr, regionsErr, emptyErr} {
		if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), fmt.Sprint(child.PID())) {
			t.Errorf("%v", err)
		}
	}
	if m.p.Alive() {
		t.Error("somebody looks still")
	}
	child.Wait()
	leaks.Check()
}

// Close may come while others read; none of them uses what is closed.
func TestCloseConcurrently(t *testing.T) {
	m, child := theirs(t, 1)
	var wg sync.WaitGroup
	for range 20 {
		p, err := Open(child.PID())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			wg.Go(func() {
				b := make([]byte, 8)
				for {
					if _, err := p.ReadAt(b, m.base); err != nil {
						if !errors.Is(err, os.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		wg.Go(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestSelf(t *testing.T) {
	p := Self()
	if p != Self() || p.PID() != os.Getpid() || !p.Alive() {
		t.Errorf("%d, alive %t", p.PID(), p.Alive())
	}
	if err := p.Close(); err != nil || !p.Alive() {
		t.Errorf("Close: %v, alive %t", err, p.Alive())
	}
	m := ours(t, 1)
	b := make([]byte, 16)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := m.p.ReadAt(b, m.base); err != nil {
			t.Fatal(err)
		}
		if _, err := m.p.WriteAt(b, m.base); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a read and a write allocate %v times", n)
	}
}

func TestRegions(t *testing.T) {
	both(t, 6, func(t *testing.T, m memory) {
		m.set(2, pageReadOnly)
		m.set(4, pageNoAccess)
		regions, err := m.p.Regions()
		if err != nil {
			t.Fatal(err)
		}
		paths := 0
		var last uint64
		for _, r := range regions {
			if r.Address < last {
				t.Errorf("%+v lies before the end of the one before, %#x", r, last)
			}
			last = r.Address + r.Size
			if r.Path != "" && r.Execute {
				paths++
			}
		}
		if paths == 0 {
			t.Error("no region is a program")
		}
		for page, want := range map[int]Region{
			1: {Read: true, Write: true, Committed: true},
			2: {Read: true, Committed: true},
			3: {Read: true, Write: true, Committed: true},
			4: {Committed: true},
		} {
			at := uint64(m.base) + uint64(page)*pageSize
			r, ok := regionAt(regions, at)
			r.Address, r.Size = 0, 0
			if !ok || r != want {
				t.Errorf("page %d: found %t, %+v, want %+v", page, ok, r, want)
			}
		}
	})
}

func regionAt(regions []Region, at uint64) (Region, bool) {
	for _, r := range regions {
		if at >= r.Address && at-r.Address < r.Size {
			return r, true
		}
	}
	return Region{}, false
}
