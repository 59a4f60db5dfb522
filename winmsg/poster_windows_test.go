package winmsg

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// post posts to a window of another process each time that it is told to.
func post(args []string) error {
	handle, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	w, err := Open(uintptr(handle))
	if err != nil {
		return err
	}
	post := w.Poster(User + 100)
	w.Close() // which does not matter to it
	for {
		var times int
		if _, err := fmt.Scan(&times); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for range times {
			post()
		}
		fmt.Println("posted", times, w.Post(User+100, 0, 0) == nil)
	}
}

// One process tells another, until that has gone; then nothing happens.
func TestPoster(t *testing.T) {
	got := make(chan [2]uintptr, 1000)
	w, err := NewWindow(MessageOnly(), Prepare(func(w *OwnWindow) {
		w.HandleMessage(User+100, func(wParam, lParam uintptr) uintptr {
			got <- [2]uintptr{wParam, lParam}
			return 0
		})
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := proctest.Start(t, "post", fmt.Sprint(w.Handle()))
	p.Say("99")
	if posted := p.Expect("posted "); posted != "99 true" {
		t.Error(posted)
	}
	for range 100 {
		select {
		case parameters := <-got:
			if parameters != [2]uintptr{} {
				t.Errorf("posted with %x", parameters)
			}
		case <-time.After(proctest.Watchdog):
			t.Fatal("a message is missing")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p.Say("3")
	if posted := p.Expect("posted "); posted != "3 false" {
		t.Error(posted)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	if len(got) != 0 {
		t.Errorf("%d messages too many", len(got))
	}
	gone := &Window{handle: 1, memory: newMemory(0)}
	gone.Poster(User)()
	wantErr(t, gone.Post(User, 0, 0), partywall.ErrPeerGone)
}
