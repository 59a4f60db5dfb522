package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/wait"
)

// bareFutex is what there is to compare with: memory that two processes have mapped, a word
// that counts, on which one sleeps, and a word that says when it was counted.
type bareFutex struct {
	region *region.Region
	count  *atomic.Uint32
	at     *atomic.Int64
}

// newBareFutex makes it in the run directory, or maps the one that is there.
func newBareFutex() (*bareFutex, error) {
	f, err := os.OpenFile(filepath.Join(os.Getenv("PARTYWALL_DIR"), "futex"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(int64(os.Getpagesize())); err != nil {
		return nil, err
	}
	r, err := region.MapFile(f, int64(os.Getpagesize()), false)
	if err != nil {
		return nil, err
	}
	return &bareFutex{r, region.At[atomic.Uint32](r.Bytes(), 0), region.At[atomic.Int64](r.Bytes(), 64)}, nil
}

// store counts, and wakes who sleeps.
func (b *bareFutex) store(v *probe) (uint64, error) {
	b.at.Store(v.At)
	n := b.count.Add(1)
	wait.FutexWake(b.count, math.MaxUint32)
	return uint64(n), nil
}

func (b *bareFutex) close() { b.region.Close() }

// futexUntil notes how long ago the counting was when it wakes.
func futexUntil(ctx context.Context, ready func() error) error {
	b, err := newBareFutex()
	if err != nil {
		return err
	}
	defer b.close()
	// It ends when the other one counts, or soon after the context has ended.
	stop := context.AfterFunc(ctx, func() {
		for ended := time.Now(); time.Since(ended) < time.Minute; time.Sleep(time.Millisecond) {
			wait.FutexWake(b.count, math.MaxUint32)
		}
	})
	defer stop()
	var h histogram
	seen := b.count.Load()
	if err := ready(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		wait.FutexWait(b.count, seen, math.MaxUint32)
		now := time.Now().UnixNano()
		if n := b.count.Load(); n != seen {
			h.record(now - b.at.Load())
			seen = n
		}
	}
	if h.count == 0 {
		return fmt.Errorf("nobody has woken this process")
	}
	return report(&h)
}
