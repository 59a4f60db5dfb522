package procmem

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/winapi"
)

func shield([]string) error { return errors.New("no role on Windows") }

func testBlock(t *testing.T, size int) *Block {
	t.Helper()
	b, err := Self().Alloc(size)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func handles(t *testing.T) int {
	t.Helper()
	return proctest.Handles(t, os.Getpid())
}

// committed reports what the process may do with a block's address.
func committed(t *testing.T, p *Process, address uintptr) (Region, bool) {
	t.Helper()
	regions, err := p.Regions()
	if err != nil {
		t.Fatal(err)
	}
	return regionAt(regions, uint64(address))
}

func TestBlock(t *testing.T) {
	m, _ := theirs(t, 1)
	b, err := m.p.Alloc(10000)
	if err != nil {
		t.Fatal(err)
	}
	want := Region{Address: uint64(b.Address()), Size: 3 * pageSize, Read: true, Write: true, Committed: true}
	if r, ok := committed(t, m.p, b.Address()); !ok || r != want {
		t.Errorf("the block is %+v, want %+v", r, want)
	}
	// The block outlives the Process that made it.
	if err := m.p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Store(b, 9000, uint64(1234567)); err != nil {
		t.Fatal(err)
	}
	again, err := Open(m.p.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got, err := Load[uint64](again, int64(b.Address())+9000); got != 1234567 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if r, ok := committed(t, again, b.Address()); ok {
		t.Errorf("after Close there is %+v", r)
	}
}

func TestAbandon(t *testing.T) {
	m, _ := theirs(t, 1)
	b, err := m.p.Alloc(16)
	if err != nil {
		t.Fatal(err)
	}
	if err := Store(b, 0, uint32(7)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Abandon(); err != nil {
			t.Error(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.WriteAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if got, err := Load[uint32](m.p, int64(b.Address())); got != 7 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

func TestBlocksDoNotLeak(t *testing.T) {
	m, _ := theirs(t, 1)
	cycle := func(p *Process) {
		b, err := p.Alloc(64 << 10)
		if err != nil {
			t.Fatal(err)
		}
		if err := Store(b, 0, uint32(1)); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle(m.p)
	before := handles(t)
	regions, err := m.p.Regions()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		cycle(m.p)
		if i%100 == 0 {
			p, err := Open(m.p.PID())
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The runtimes of both processes may have grown a little meanwhile.
	if after := handles(t); after > before+8 {
		t.Errorf("%d handles, and %d before", after, before)
	}
	now, err := m.p.Regions()
	if err != nil {
		t.Fatal(err)
	}
	if len(now) > len(regions)+20 {
		t.Errorf("%d regions, and %d before", len(now), len(regions))
	}
}

func TestAlloc(t *testing.T) {
	m, child := theirs(t, 1)
	for _, size := range []int{0, -1, math.MaxInt} {
		if b, err := m.p.Alloc(size); b != nil || err == nil || !strings.Contains(err.Error(), fmt.Sprint(size)) {
			t.Errorf("%d bytes: %v, %v", size, b, err)
		}
	}
	b, err := m.p.Alloc(1)
	if err != nil {
		t.Fatal(err)
	}
	child.Kill()
	child.Wait()
	if b, err := m.p.Alloc(1); b != nil || !errors.Is(err, partywall.ErrPeerGone) {
		t.Errorf("%v, %v", b, err)
	}
	if _, err := b.ReadAt(make([]byte, 1), 0); !errors.Is(err, partywall.ErrPeerGone) {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("its memory is gone with it: %v", err)
	}
}

// Ids are multiples of four; Windows opens 4 when asked for 5.
func TestRoundedID(t *testing.T) {
	m, child := theirs(t, 1)
	for i := 1; i < 4; i++ {
		if p, err := Open(child.PID() + i); !errors.Is(err, partywall.ErrNotFound) {
			t.Errorf("%d for %d: %v, %v", child.PID()+i, m.p.PID(), p, err)
		}
	}
}

func TestIs64bit(t *testing.T) {
	const i386, arm = 0x14c, 0x1c4
	for _, test := range []struct {
		process, native uint16
		want            bool
	}{
		{imageFileMachineUnknown, imageFileMachineAMD64, true},
		{imageFileMachineUnknown, imageFileMachineARM64, true},
		{imageFileMachineAMD64, imageFileMachineARM64, true},
		{i386, imageFileMachineAMD64, false},
		{arm, imageFileMachineARM64, false},
		{imageFileMachineUnknown, i386, false},
	} {
		if got := is64bit(test.process, test.native); got != test.want {
			t.Errorf("machine %#x on %#x: %t", test.process, test.native, got)
		}
	}
}

func TestProtection(t *testing.T) {
	const private = 0x20000
	for _, test := range []struct {
		state, protect, kind uint32
		want                 Region
	}{
		{windows.MEM_COMMIT, windows.PAGE_READWRITE, private, Region{Read: true, Write: true}},
		{windows.MEM_COMMIT, windows.PAGE_READWRITE | windows.PAGE_GUARD, private, Region{}},
		{windows.MEM_COMMIT, windows.PAGE_READWRITE | windows.PAGE_NOCACHE, private, Region{Read: true, Write: true}},
		{windows.MEM_COMMIT, windows.PAGE_NOACCESS, private, Region{}},
		{windows.MEM_COMMIT, windows.PAGE_EXECUTE, private, Region{Execute: true}},
		{windows.MEM_COMMIT, windows.PAGE_EXECUTE_READ, winapi.MEM_IMAGE, Region{Read: true, Execute: true}},
		{windows.MEM_COMMIT, windows.PAGE_WRITECOPY, winapi.MEM_IMAGE, Region{Read: true, Write: true}},
		{windows.MEM_COMMIT, windows.PAGE_EXECUTE_WRITECOPY, winapi.MEM_MAPPED, Region{Read: true, Write: true, Execute: true}},
		{windows.MEM_COMMIT, windows.PAGE_READWRITE, winapi.MEM_MAPPED, Region{Read: true, Write: true, Shared: true}},
		{windows.MEM_COMMIT, windows.PAGE_READONLY, winapi.MEM_MAPPED, Region{Read: true, Shared: true}},
		{windows.MEM_RESERVE, windows.PAGE_READWRITE, private, Region{}},
	} {
		test.want.Committed = test.state == windows.MEM_COMMIT
		info := winapi.MemoryBasicInformation{State: test.state, Protect: test.protect, Type: test.kind}
		if got := region(&info, ""); got != test.want {
			t.Errorf("%+v is %+v, want %+v", info, got, test.want)
		}
	}
}
