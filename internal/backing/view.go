package backing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
)

// A ViewLayout says where a view has what this package needs.
type ViewLayout struct {
	Anchor  int // bytes of the anchor, which begins the view; the only region follows
	Builder int // the offset of the word that says who has the name lock
	Table   int // the offset of the first participant's word that says who has the mark
	Stride  int // from there to the next participant's
	Nonce   int // the offset of a word that tells this view's bell from others'
}

// View is a [Backing] of bytes that somebody else has mapped. There are no kernel's locks, so the
// name lock and the marks are words that hold an identity: a process id and when the process began. Whoever finds
// the identity of a process that is not there any more takes the word over.
type View struct {
	mem    []byte
	layout ViewLayout
	me     uint64

	ready sync.Once
	bell  *sleeper

	mu   sync.Mutex
	mine int
}

// OpenView returns the backing of a view with the name lock.
func OpenView(ctx context.Context, mem []byte, layout ViewLayout) (*View, error) {
	if len(mem) <= layout.Anchor {
		return nil, fmt.Errorf("%w: %d bytes of memory; the anchor alone takes %d", partywall.ErrTooLarge, len(mem), layout.Anchor)
	}
	me, err := ownIdentity()
	if err != nil {
		return nil, err
	}
	v := &View{mem: mem, layout: layout, me: me, mine: -1}
	if err := v.Lock(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

func (v *View) builder() *atomic.Uint64 { return region.At[atomic.Uint64](v.mem, v.layout.Builder) }

func (v *View) mark(number int) *atomic.Uint64 {
	return region.At[atomic.Uint64](v.mem, v.layout.Table+number*v.layout.Stride)
}

// marks is how many participants there can be.
func (v *View) marks() int { return (v.layout.Anchor - v.layout.Table) / v.layout.Stride }

// Lock implements [Backing].
func (v *View) Lock(ctx context.Context) error {
	word := v.builder()
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		if v.mu.TryLock() {
			// Another handle of this process has the same identity: it is alive.
			had := word.Load()
			if (had == 0 || had != v.me && !alive(had)) && word.CompareAndSwap(had, v.me) {
				return nil
			}
			v.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: waited for process %d, which opens or closes it: %w", partywall.ErrBusy, word.Load()>>32, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// Unlock implements [Backing].
func (v *View) Unlock() {
	v.builder().Store(0)
	v.mu.Unlock()
}

// Anchor implements [Backing].
func (v *View) Anchor() []byte { return v.mem[:v.layout.Anchor] }

// Grows implements [Backing].
func (v *View) Grows() bool { return false }

// Format implements [Backing].
func (v *View) Format(int) error {
	clearFirst(v.mem[:v.layout.Builder])
	clear(v.mem[v.layout.Builder+8 : v.layout.Anchor])
	v.nonce().Store(rand.Uint64())
	return nil
}

func (v *View) nonce() *atomic.Uint64 { return region.At[atomic.Uint64](v.mem, v.layout.Nonce) }

// sleeper is what sleeps on the bell of this memory, which has been formatted by now.
func (v *View) sleeper() *sleeper {
	v.ready.Do(func() { v.bell = newSleeper(fmt.Sprintf("view %016x", v.nonce().Load())) })
	return v.bell
}

// Anyone implements [Backing].
func (v *View) Anyone() bool {
	for i := range v.marks() {
		if i != v.mine && v.Alive(i) {
			return true
		}
	}
	return false
}

// Claim implements [Backing].
func (v *View) Claim(number int) (bool, error) {
	word := v.mark(number)
	if had := word.Load(); had != 0 && (had == v.me || alive(had)) || !word.CompareAndSwap(had, v.me) {
		return false, nil
	}
	v.mine = number
	return true, nil
}

// Release implements [Backing].
func (v *View) Release() { v.Unclaim() }

// Unclaim implements [Backing].
func (v *View) Unclaim() {
	if v.mine >= 0 {
		v.mark(v.mine).Store(0)
		v.mine = -1
	}
}

// Alive implements [Backing].
func (v *View) Alive(number int) bool {
	if number >= v.marks() {
		return false
	}
	word := v.mark(number).Load()
	return word != 0 && (word == v.me || alive(word))
}

// Create implements [Backing].
func (v *View) Create(generation uint64, size int) (*region.Region, error) {
	room := v.mem[v.layout.Anchor:]
	if generation > 1 {
		return nil, fmt.Errorf("%w: it would have to grow, and lies in memory that cannot", partywall.ErrLayout)
	}
	if size > len(room) {
		return nil, fmt.Errorf("%w: %d bytes of memory are needed, there are %d", partywall.ErrTooLarge, v.layout.Anchor+size, len(v.mem))
	}
	clear(room)
	return region.Borrow(room), nil
}

// Open implements [Backing].
func (v *View) Open(generation uint64, _ bool) (*region.Region, error) {
	if generation != 1 {
		return nil, fmt.Errorf("%w: generation %d", os.ErrNotExist, generation)
	}
	return region.Borrow(v.mem[v.layout.Anchor:]), nil
}

// Drop implements [Backing].
func (v *View) Drop(uint64) {}

// Destroy implements [Backing].
func (v *View) Destroy() error { return nil }

// Sleep implements [Backing].
func (v *View) Sleep(bell *atomic.Uint32, seen uint32, number int) {
	v.sleeper().sleep(bell, seen, number)
}

// Wake implements [Backing].
func (v *View) Wake(bell *atomic.Uint32, asleep func(int) bool, numbers int) {
	v.sleeper().wake(bell, asleep, numbers)
}

// WakeOwn implements [Backing].
func (v *View) WakeOwn(bell *atomic.Uint32, number int) { v.sleeper().wakeOwn(bell, number) }

// Close implements [Backing].
func (v *View) Close() error {
	v.Release()
	v.sleeper().close()
	return nil
}
