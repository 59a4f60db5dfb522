package section

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/wait"
)

// Patience is how long an operation without a context waits for another process: one that is stopped
// while it holds a lock, or readers that leave no cell to write to.
const Patience = 10 * time.Second

// endurance is [Patience]; tests make it shorter.
var endurance = Patience

// noContext stands for the context of an operation that has none, and has [Patience].
var noContext context.Context = patience{context.Background()}

type patience struct{ context.Context }

const (
	shortPause = 20 * time.Microsecond // of who waits for the lock, at first
	longPause  = time.Millisecond      // and after a while
	suspicion  = 200 * time.Microsecond
)

// acquire takes the lock of a region. While it waits it asks whether the holder lives.
func (c *core) acquire(ctx context.Context, a *attachment) (lockWord, error) {
	if w := lockWord(a.lock.Load()); !w.held() {
		if mine := w.next(c.number); a.lock.CompareAndSwap(uint64(w), uint64(mine)) {
			return mine, nil
		}
	}
	return c.acquireSlowly(ctx, a)
}

func (c *core) acquireSlowly(ctx context.Context, a *attachment) (lockWord, error) {
	var turn wait.Turn
	defer turn.End()
	var since, suspect time.Time
	var suspected lockWord
	spins, pause := true, shortPause
	for {
		w := lockWord(a.lock.Load())
		if !w.held() {
			if mine := w.next(c.number); a.lock.CompareAndSwap(uint64(w), uint64(mine)) {
				return mine, nil
			}
			continue
		}
		// In a region that has been moved, the lock may be held by somebody who has died since, and
		// whose number a newcomer has got.
		if c.at.Load() != a || switchWord(a.swtch.Load()).moved() {
			return 0, errMoved // or closed
		}
		if spins = spins && turn.Next(); spins {
			continue
		}
		now := time.Now()
		if since.IsZero() {
			since = now
		}
		if w != suspected {
			suspected, suspect, pause = w, now, shortPause
		} else if now.Sub(suspect) > suspicion && c.dead(w.owner()) {
			if mine := w.next(c.number); a.lock.CompareAndSwap(uint64(w), uint64(mine)) {
				// The dead one may have cleared this and woken nobody.
				wait.Announce(c.anchor.sleepers, 1)
				return mine, nil
			}
			continue
		}
		if err := c.patient(ctx, since, func() string {
			return fmt.Sprintf("process %d, which is writing and does not get on", c.pid(w.owner()))
		}); err != nil {
			return 0, err
		}
		time.Sleep(pause)
		pause = min(2*pause, longPause)
	}
}

// patient returns an error if the context has ended, or if there is none and this waits since
// longer than it has patience.
func (c *core) patient(ctx context.Context, since time.Time, whom func() string) error {
	var err error
	if ctx != noContext {
		err = context.Cause(ctx)
	} else if time.Since(since) > endurance {
		err = os.ErrDeadlineExceeded
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: waited for %s: %w", partywall.ErrBusy, whom(), err)
}

// dead reports whether a participant has ended, by the kernel's word.
func (c *core) dead(number int) bool {
	return number != c.number && !c.backing.Alive(number)
}

// pid returns the process of a participant, for people.
func (c *core) pid(number int) int {
	if number >= c.anchor.entries {
		return 0
	}
	return int(c.anchor.entry(number).who.Load() >> 32)
}

var (
	errMoved = errors.New("the region has been moved")
	errStale = errors.New("the version has moved on")
)
