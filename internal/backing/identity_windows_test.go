package backing

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/proctest"
)

// What the list of all processes says is what a process's handle says.
func TestListed(t *testing.T) {
	p := proctest.Start(t, "identity")
	var other uint64
	if _, err := fmt.Sscan(p.Expect("I am "), &other); err != nil {
		t.Fatal(err)
	}
	me, err := ownIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[int]uint64{os.Getpid(): me, p.PID(): other, 0x7ffffff0: 0} {
		if got, err := listed(uint32(pid)); got != want || err != nil {
			t.Errorf("process %d: %#x, %v, want %#x", pid, got, err, want)
		}
	}
}

// A process that may not be opened is known from the list.
func TestProcessOfAnotherUser(t *testing.T) {
	const system = 4 // the kernel's own
	if h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, system); err == nil {
		windows.CloseHandle(h)
		t.Skip("this user may open every process")
	}
	expect(t, "somebody who had that id before", alive(system<<32|1), false)
}
