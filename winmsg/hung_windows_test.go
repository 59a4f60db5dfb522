package winmsg

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/procmem"
)

// A hung window costs its senders their deadlines and nothing else: what it may still write
// to stays, it is sent one request, and when it goes on, so do they.
func TestHung(t *testing.T) {
	server, w := startC(t, t.Name())
	info := myInfo{3333, 20.01}
	if _, err := Invoke(t.Context(), w, compareImage, &info); err != nil || info != (myInfo{2, 1}) {
		t.Fatal(info, err)
	}
	address := w.memory.block.Address()
	server.say("hang")
	server.expect("hung")

	allocated, freed := counts.allocated.Load(), counts.freed.Load()
	for i := range 3 {
		info = myInfo{float64(i), 7}
		_, err := Invoke(within(t, 100*time.Millisecond), w, compareImage, &info)
		wantErr(t, err, context.DeadlineExceeded)
		if info != (myInfo{float64(i), 7}) {
			t.Errorf("the argument is %+v", info)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := w.Send(canceled, User+500, 0, 0)
	wantErr(t, err, context.Canceled)

	// As many messages as a hung window may have on their way.
	for range maxJourneys + 3 {
		_, err := w.Send(within(t, time.Millisecond), User+500, 0, 0)
		wantErr(t, err, context.DeadlineExceeded)
	}
	if n := len(w.journeys); n != maxJourneys {
		t.Errorf("%d messages are on their way, want %d", n, maxJourneys)
	}

	if a, f := counts.allocated.Load()-allocated, counts.freed.Load()-freed; a != 0 || f != 0 {
		t.Errorf("%d blocks were allocated and %d freed", a, f)
	}
	p, err := procmem.Open(w.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	// The first request's argument still lies there, and none of the others'.
	if got, err := procmem.Load[myInfo](p, int64(address)); err != nil || got != (myInfo{0, 7}) {
		t.Errorf("the block has %+v, %v", got, err)
	}
	server.say("go")
	server.expect("client:red=0.00,blue=7.00")
	info = myInfo{5, 6}
	if _, err := Invoke(within(t, proctest.Watchdog), w, compareImage, &info); err != nil || info != (myInfo{2, 1}) {
		t.Errorf("after it has gone on: %+v, %v", info, err)
	}
	server.expect("client:red=5.00,blue=6.00") // the next line: nothing was sent in between
	if _, err := w.Send(within(t, proctest.Watchdog), User+500, 0, 0); err != nil {
		t.Error(err)
	}
	if now := w.memory.block.Address(); now != address {
		t.Errorf("the block lies at %#x, and lay at %#x", now, address)
	}
}

// A Window that is closed while its window is hung frees the block when the window has
// answered, not before.
func TestCloseWhileHung(t *testing.T) {
	server, w := startC(t, t.Name())
	server.say("hang")
	server.expect("hung")
	info := myInfo{8, 9}
	_, err := Invoke(within(t, 50*time.Millisecond), w, compareImage, &info)
	wantErr(t, err, context.DeadlineExceeded)
	block := w.memory.block
	p, err := procmem.Open(w.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := procmem.Load[myInfo](p, int64(block.Address())); err != nil || got != (myInfo{8, 9}) {
		t.Errorf("the block has %+v, %v", got, err)
	}
	_, err = Invoke(t.Context(), w, compareImage, &info)
	wantErr(t, err, os.ErrClosed)
	freed := counts.freed.Load()
	server.say("go")
	server.expect("client:red=8.00,blue=9.00")
	for end := time.Now().Add(proctest.Watchdog); counts.freed.Load() == freed; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the block is not freed")
		}
	}
}

// Whatever way the other process ends, who waits for it is told.
func TestDiesInTheMiddle(t *testing.T) {
	const dieInside = User + 102
	contexts(t, func(t *testing.T, ctx context.Context) {
		_, w := startC(t, "dies inside")
		info := myInfo{1, 2}
		_, err := Invoke(ctx, w, dieInside, &info)
		wantErr(t, err, partywall.ErrPeerGone)
		_, err = Invoke(ctx, w, compareImage, &info)
		wantErr(t, err, partywall.ErrPeerGone)

		server, w := startC(t, "dies while hung")
		server.say("hang")
		server.expect("hung")
		done := make(chan error)
		go func() {
			_, err := Invoke(ctx, w, compareImage, &info)
			done <- err
		}()
		time.Sleep(50 * time.Millisecond) // most often it waits by now
		server.say("die")
		wantErr(t, <-done, partywall.ErrPeerGone)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Who has given up finds the window gone afterwards.
func TestDiesAfterGivingUp(t *testing.T) {
	server, w := startC(t, t.Name())
	server.say("hang")
	server.expect("hung")
	info := myInfo{1, 2}
	_, err := Invoke(within(t, 50*time.Millisecond), w, compareImage, &info)
	wantErr(t, err, context.DeadlineExceeded)
	server.say("die")
	_, err = Invoke(within(t, proctest.Watchdog), w, compareImage, &info)
	wantErr(t, err, partywall.ErrPeerGone)
}

// Windows says after five seconds that a program does not respond; so does the error.
func TestIsHung(t *testing.T) {
	server, w := startC(t, t.Name())
	if w.IsHung() {
		t.Error("a window that answers is called hung")
	}
	server.say("hang")
	server.expect("hung")
	_, err := w.Send(within(t, time.Second), User+500, 0, 0)
	wantErr(t, err, context.DeadlineExceeded)
	for end := time.Now().Add(proctest.Watchdog); !w.IsHung(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is never called hung")
		}
	}
	_, err = w.Send(within(t, 10*time.Millisecond), User+500, 0, 0)
	wantErr(t, err, context.DeadlineExceeded)
	wantText(t, err, "has not looked for messages")
	server.say("go")
	server.expect("going")
	if _, err := w.Send(within(t, proctest.Watchdog), User+500, 0, 0); err != nil {
		t.Error(err)
	}
}

// A slow handler is not a hung one: its sender waits.
func TestSlow(t *testing.T) {
	server, w := startC(t, t.Name())
	const slow = User + 101
	err := w.Lend(t.Context(), 4, func(l *Loan) error {
		if answer, err := l.Send(context.Background(), slow, 6000, 0); err != nil || answer != 5 {
			return errors.Join(err, errors.New("the answer is wrong"))
		}
		if got, err := procmem.Load[int32](l, 0); err != nil || got != 42 {
			t.Errorf("%d, %v", got, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	server.expect("slow done")
}
