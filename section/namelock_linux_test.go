package section_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

const ofdSetlk = 37 // F_OFD_SETLK of fcntl(2)

// Somebody has the name lock and does not get on: who opens, closes or makes grow is told so after its patience, who is there already
// loads, stores and watches.
func TestNameLockIsHeld(t *testing.T) {
	clean(t)
	at := newTarget(t, "namelock")
	p, other := victim(t, "small", at.name, 100*time.Millisecond), victim(t, "small", at.name, 100*time.Millisecond)
	file := opened(t, at.anchor)
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 1 << 40, Len: 1}
	if err := syscall.FcntlFlock(file.Fd(), ofdSetlk, &lock); err != nil {
		t.Fatal(err)
	}
	goesOnBusy := func() {
		t.Helper()
		for command, want := range map[string]string{"store": "ok", "load": "ok", "update": "ok", "watch": "Deadline", "join": "Busy"} {
			if got := tell(t, p, command, 1); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s, want %s", command, got, want)
			}
		}
	}
	goesOnBusy()
	// A region that has been moved needs the lock to be finished.
	moved(t, at)
	if got := tell(t, p, "store", 2); !strings.Contains(got, "Busy Patience") {
		t.Errorf("store: %s", got)
	}
	if got := tell(t, p, "load"); !strings.HasPrefix(got, "ok") {
		t.Errorf("load: %s", got)
	}
	if got := tell(t, other, "close"); !strings.Contains(got, "Deadline") && !strings.Contains(got, "Busy Patience") {
		t.Errorf("close: %s", got)
	}
	lock.Type = syscall.F_UNLCK
	if err := syscall.FcntlFlock(file.Fd(), ofdSetlk, &lock); err != nil {
		t.Fatal(err)
	}
	file.Close()
	goesOn(t, p)
	if got := tell(t, p, "close"); got != "ok" {
		t.Error(got)
	}
	if _, err := section.Open[plant](at.name, section.MustExist()); !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	os.Remove(at.anchor)
}
