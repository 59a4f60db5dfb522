//go:build linux || windows

package procmem

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

// pageSize is that of the machines that the tests run on.
const pageSize = 4096

// A pageState is what may be done with a page.
type pageState int

const (
	pageUsable pageState = iota
	pageReadOnly
	pageNoAccess
	pageUnmapped
)

func TestMain(m *testing.M) {
	if os.Getpagesize() != pageSize {
		fmt.Println("NOT TESTED: the tests know pages of 4096 bytes, and this machine has others")
		return
	}
	proctest.Main(m, proctest.Roles{"hold": hold, "open": openRole, "shield": shield})
}

// hold maps pages, says where, and does with them what it is told.
func hold(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	base, err := mapPages(n)
	if err != nil {
		return err
	}
	fmt.Println("at", base)
	for s := bufio.NewScanner(os.Stdin); s.Scan(); {
		var i, state, off, size int
		switch line := s.Text(); {
		case scan(line, "set %d %d", &i, &state):
			if err := setPage(base+uintptr(i)*pageSize, pageState(state)); err != nil {
				return err
			}
			fmt.Println("done")
		case scan(line, "show %d %d", &off, &size):
			fmt.Println("bytes", hex.EncodeToString(bytesAt(base+uintptr(off), size)))
		default:
			return errors.New("what is " + line)
		}
	}
	return nil
}

func scan(line, format string, to ...any) bool {
	n, err := fmt.Sscanf(line, format, to...)
	return err == nil && n == len(to)
}

// openRole opens a process, and says what became of it.
func openRole(args []string) error {
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	p, err := Open(pid)
	if err == nil {
		p.Close()
	}
	fmt.Printf("opened %v\n", err)
	return nil
}

// memory is pages of a process, which a test reaches through p and otherwise.
type memory struct {
	p    *Process
	base int64
	set  func(page int, s pageState)
	show func(off, size int) []byte
}

// ours maps pages in this process.
func ours(t testing.TB, pages int) memory {
	t.Helper()
	base, err := mapPages(pages)
	if err != nil {
		t.Fatal(err)
	}
	return memory{
		p:    Self(),
		base: int64(base),
		set: func(page int, s pageState) {
			if err := setPage(base+uintptr(page)*pageSize, s); err != nil {
				t.Fatal(err)
			}
		},
		show: func(off, size int) []byte { return bytesAt(base+uintptr(off), size) },
	}
}

// theirs maps pages in another process.
func theirs(t testing.TB, pages int) (memory, *proctest.Process) {
	t.Helper()
	child := proctest.Start(t, "hold", strconv.Itoa(pages))
	base, err := strconv.ParseInt(child.Expect("at "), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(child.PID())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return memory{
		p:    p,
		base: base,
		set: func(page int, s pageState) {
			child.Say("set %d %d", page, s)
			child.Expect("done")
		},
		show: func(off, size int) []byte {
			var all []byte
			for ; size > 0; off, size = off+pageSize, size-pageSize { // a line has a limit
				child.Say("show %d %d", off, min(size, pageSize))
				b, err := hex.DecodeString(child.Expect("bytes"))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, b...)
			}
			return all
		},
	}, child
}

// both runs a test with memory of this process and with memory of another.
func both(t *testing.T, pages int, test func(*testing.T, memory)) {
	t.Run("self", func(t *testing.T) { test(t, ours(t, pages)) })
	t.Run("other", func(t *testing.T) {
		m, _ := theirs(t, pages)
		test(t, m)
	})
}
