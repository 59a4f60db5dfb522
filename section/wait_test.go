package section

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/backing"
	"github.com/partywall/partywall/internal/proctest"
)

type narrow struct{ A uint64 }
type wide struct{ A, B uint64 }

// soon fails the test if something that must end does not.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(proctest.Watchdog):
		t.Fatalf("%s hangs", what)
	}
}

func opens[T any](t *testing.T, name string, options ...Option) *Section[T] {
	t.Helper()
	s, err := Open[T](name, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A handle whose loops follow a growth can be closed at any moment.
func TestCloseWhileLoopsFollow(t *testing.T) {
	for i := range 100 {
		name := fmt.Sprintf("follow/%d", i)
		s := opens[narrow](t, name)
		var loops sync.WaitGroup
		for range 6 {
			loops.Go(func() {
				for range s.Watch(context.Background()) {
				}
			})
		}
		if err := s.Store(narrow{1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // they fall asleep
		o := opens[wide](t, name)
		loops.Go(func() { _ = o.Store(wide{2, 2}) })
		time.Sleep(time.Duration(i%20) * 10 * time.Microsecond)
		soon(t, "Close", func() { s.Close() })
		soon(t, "a loop", loops.Wait)
		o.Close()
	}
}

// A region has been moved, and who did it has the name lock and does not get on: stores wait for him, as long as their
// context allows; nothing else does.
func TestNobodyWaitsForAStore(t *testing.T) {
	s := opens[narrow](t, "settle")
	if err := s.Store(narrow{1}); err != nil {
		t.Fatal(err)
	}
	held, err := backing.OpenFiles(t.Context(), backing.Place{}, "settle", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		held.Unlock()
		held.Close()
		opens[narrow](t, "settle").Close() // what could not leave in order is cleared away
	}()
	a := s.core.at.Load()
	a.swtch.Store(a.swtch.Load() | uint64(movedBit))

	stored := make(chan error, 1)
	go func() {
		stored <- s.Update(context.Background(), func(v *narrow) error { v.A++; return nil })
	}()
	for s.core.watching.Load() == 0 { // until it waits
		time.Sleep(time.Millisecond)
	}
	soon(t, "Load", func() {
		if v, err := s.Load(); err != nil || v.A != 1 {
			t.Errorf("%v, %v", v, err)
		}
	})
	soon(t, "Watch", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if _, err := s.Await(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	soon(t, "another store", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if err := s.Update(ctx, func(*narrow) error { return nil }); !errors.Is(err, partywall.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	endurance = 50 * time.Millisecond // of Close, which needs the name lock to leave in order
	defer func() { endurance = Patience }()
	soon(t, "Close", func() {
		if err := s.Close(); !errors.Is(err, partywall.ErrBusy) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
	if err := <-stored; !errors.Is(err, os.ErrClosed) {
		t.Errorf("the store that waited: %v", err)
	}
}

// A store that finds no cell to write to ends when its handle is closed.
func TestCloseWhileNoCellIsSpare(t *testing.T) {
	s, o := opens[[]byte](t, "spare", MaxSize(100_000)), opens[[]byte](t, "spare")
	o.core.pins.word.Store(o.core.pins.word.Load() | 7)
	stored := make(chan error, 1)
	go func() { stored <- s.Update(context.Background(), func(*[]byte) error { return nil }) }()
	for s.core.at.Load().busy.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	soon(t, "Close", func() { s.Close() })
	soon(t, "the store", func() {
		if err := <-stored; !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
}

// What a handle has told others of itself it takes back, also if a loop closes it.
func TestNothingIsSaidOfTheClosed(t *testing.T) {
	o, s := opens[narrow](t, "said"), opens[narrow](t, "said")
	if err := s.Store(narrow{1}); err != nil {
		t.Fatal(err)
	}
	e := o.core.anchor.entry(s.core.number)
	for range s.Watch(context.Background()) {
		if e.watchers.Load() != 1 {
			t.Errorf("%d watchers", e.watchers.Load())
		}
		s.Close()
		break
	}
	if e.watchers.Load() != 0 || e.role.Load() != 0 || e.who.Load() != 0 || e.since.Load() != 0 {
		t.Errorf("left behind: %d watchers, role %d, %#x", e.watchers.Load(), e.role.Load(), e.who.Load())
	}
}

// A hostile word does not lead a handle back.
func TestNoEarlierGeneration(t *testing.T) {
	s := opens[narrow](t, "earlier")
	o := opens[wide](t, "earlier")
	if _, err := s.Load(); err != nil {
		t.Fatal(err)
	}
	a := o.core.at.Load()
	a.swtch.Store(a.swtch.Load() | uint64(movedBit))
	o.core.anchor.current.Store(1)
	if _, err := o.Load(); !errors.Is(err, partywall.ErrProtocol) {
		t.Error(err)
	}
}
