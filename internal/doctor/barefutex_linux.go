package doctor

import (
	"math"
	"os"
	"sync/atomic"

	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/wait"
)

// A Futex is a word in memory that processes share, on which one sleeps until another changes it: what
// waking a process costs on this machine, with nothing beside it.
type Futex struct {
	region *region.Region
	count  *atomic.Uint32
	note   *atomic.Int64
}

// OpenFutex maps the futex in a file, which is made if it is missing.
func OpenFutex(path string) (*Futex, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int64(os.Getpagesize())
	if err := f.Truncate(size); err != nil {
		return nil, err
	}
	r, err := region.MapFile(f, size, false)
	if err != nil {
		return nil, err
	}
	return &Futex{r, region.At[atomic.Uint32](r.Bytes(), 0), region.At[atomic.Int64](r.Bytes(), 64)}, nil
}

// Count returns how often Wake has been called, by all processes together, modulo 2^32.
func (f *Futex) Count() uint32 { return f.count.Load() }

// Note returns what Wake was given last.
func (f *Futex) Note() int64 { return f.note.Load() }

// Wake leaves a note, counts, and wakes all that sleep.
func (f *Futex) Wake(note int64) {
	f.note.Store(note)
	f.count.Add(1)
	f.Stir()
}

// Stir wakes all that sleep, for no reason.
func (f *Futex) Stir() { wait.FutexWake(f.count, math.MaxUint32) }

// Sleep sleeps until the count differs from seen, or for a shorter time.
func (f *Futex) Sleep(seen uint32) { wait.FutexWait(f.count, seen, math.MaxUint32) }

// Close unmaps it.
func (f *Futex) Close() error { return f.region.Close() }
