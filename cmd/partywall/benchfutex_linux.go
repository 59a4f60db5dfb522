package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/partywall/partywall/internal/doctor"
	"github.com/partywall/partywall/internal/wait"
)

// bareFutex is what there is to compare with: memory and a futex.
type bareFutex struct{ *doctor.Futex }

// newBareFutex makes it in the run directory, or maps the one that is there.
func newBareFutex() (*bareFutex, error) {
	f, err := doctor.OpenFutex(filepath.Join(os.Getenv("PARTYWALL_DIR"), "futex"))
	return &bareFutex{f}, err
}

func (b *bareFutex) store(v *probe) (uint64, error) {
	b.Wake(v.At)
	return uint64(b.Count()), nil
}

func (b *bareFutex) close() { b.Close() }

// futexUntil notes how long ago the waking began when it wakes.
func futexUntil(ctx context.Context, ready func() error) error {
	b, err := newBareFutex()
	if err != nil {
		return err
	}
	defer b.close()
	ended := make(chan struct{})
	defer close(ended)
	context.AfterFunc(ctx, func() {
		// It may be about to sleep: it is woken until it has noticed.
		for {
			select {
			case <-ended:
				return
			case <-time.After(time.Millisecond):
				b.Stir()
			}
		}
	})
	var h histogram
	seen := b.Count()
	if err := ready(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		b.Sleep(seen)
		now := wait.Stamp()
		if n := b.Count(); n != seen {
			h.record(now - b.Note())
			seen = n
		}
	}
	if h.count == 0 {
		return errors.New("nobody has woken this process")
	}
	return report(&h)
}
