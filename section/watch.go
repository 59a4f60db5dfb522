package section

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall/internal/wait"
)

// A watch is one loop that waits for versions.
type watch struct {
	core  *core
	ctx   context.Context
	ended atomic.Bool // the context has
	stop  func() bool

	asleep atomic.Bool // it may be
}

// watch begins a loop. Its end has to be called.
func (c *core) watch(ctx context.Context) *watch {
	w := &watch{core: c, ctx: ctx}
	c.count(1)
	w.stop = context.AfterFunc(ctx, w.end)
	return w
}

// end makes a waiting loop see that its context has ended. The loop may be about to sleep when
// it is woken, so it is woken until it knows.
func (w *watch) end() {
	w.ended.Store(true)
	c := w.core
	for pause := shortPause; w.asleep.Load() && c.touch(); pause = min(2*pause, longPause) {
		c.backing.WakeOwn(c.anchor.bell, c.number)
		c.watching.Add(-1)
		time.Sleep(pause)
	}
}

// done ends the loop.
func (w *watch) done() {
	w.stop()
	w.core.count(^uint32(0))
}

// count tells others that the handle has so many more loops that watch.
func (c *core) count(more uint32) {
	if !c.touch() {
		return
	}
	defer c.watching.Add(-1)
	var fault error // await says so
	defer unguard(guard(), &fault)
	c.anchor.entry(c.number).watchers.Add(more)
}

// await waits until there is a version above known, and returns the newest.
func (w *watch) await(known uint64) (version uint64, err error) {
	defer unguard(guard(), &err)
	c := w.core
	if version, err = w.look(known); version > known || err != nil {
		return version, err
	}
	spun := c.predictor.Spin()
	if spun {
		if version, err = w.spin(known); version > known || err != nil {
			return version, err
		}
	}
	start := wait.Now()
	for version <= known && err == nil {
		version, err = w.sleep(known)
	}
	if err == nil && !spun {
		c.predictor.Slept(wait.Now()-start, 1)
	}
	return version, err
}

// look returns the current version, if that is above known, and else known.
func (w *watch) look(known uint64) (uint64, error) {
	c := w.core
	for {
		a := c.at.Load()
		switch {
		case a == nil:
			return known, os.ErrClosed
		case w.ended.Load() || w.ctx.Err() != nil:
			return known, context.Cause(w.ctx)
		}
		word, err := a.peek()
		if c.at.Load() != a {
			continue
		}
		if err != nil {
			return known, err
		}
		if word.version() > known {
			return word.version(), nil
		}
		if !word.moved() {
			return known, nil
		}
		// As long as there is no other region, nobody can have stored a version.
		if followed, err := c.follow(a); !followed {
			return known, err
		}
	}
}

// peek loads the switch word from memory that may not be there any more.
func (a *attachment) peek() (w switchWord, err error) {
	defer unguard(guard(), &err)
	return a.load()
}

// spin looks until a spin is over.
func (w *watch) spin(known uint64) (version uint64, err error) {
	c := w.core
	var turn wait.Turn
	defer turn.End()
	for turn.Next() {
		if version, err = w.glance(known, turn.Turns()); version > known || err != nil {
			c.predictor.Hit(0)
			return version, err
		}
	}
	c.predictor.Miss()
	return known, nil
}

// glance is look, and most times only as much of it as a spin needs.
func (w *watch) glance(known uint64, n uint32) (uint64, error) {
	a := w.core.at.Load()
	if a == nil || n%32 == 0 {
		return w.look(known)
	}
	word, err := a.peek()
	if err != nil || word.version() > known || word.moved() {
		return w.look(known)
	}
	return known, nil
}

// sleep is the protocol's list "Watching".
func (w *watch) sleep(known uint64) (version uint64, err error) {
	c := w.core
	if !c.touch() {
		return known, os.ErrClosed
	}
	defer c.watching.Add(-1)
	w.asleep.Store(true)
	defer w.asleep.Store(false)

	seen := c.anchor.bell.Load()
	wait.Announce(c.anchor.sleepers, 1)
	a := c.at.Load()
	if a == nil {
		return known, os.ErrClosed
	}
	if err := w.outwait(a, known); err != nil {
		return known, err
	}
	version, err = w.look(known)
	if version > known || err != nil || c.at.Load() != a {
		return version, err // of another region the lock word has to be asked first
	}
	c.backing.Sleep(c.anchor.bell, seen, c.number)
	return w.look(known)
}

// outwait waits until nobody who lives is about to switch in a, away from the version known; whoever has
// switched may be stopped before he says that he is done. It takes the writer a moment, if he
// runs; often it does not, because the scheduler has given its processor to whom it has just
// woken. So this one gives the processor back before it looks again.
func (w *watch) outwait(a *attachment, known uint64) error {
	c := w.core
	var since time.Time
	pause := shortPause
	for {
		word, now, err := a.peekLock()
		switch {
		case c.at.Load() != a, w.ended.Load():
			return nil // look says what to do
		case err != nil:
			return err
		case !word.commit(), now.moved(), now.version() > known:
			return nil
		}
		if since.IsZero() {
			since = time.Now()
		}
		if time.Since(since) < suspicion {
			wait.Yield()
			continue
		}
		if c.dead(word.owner()) {
			return nil
		}
		time.Sleep(pause)
		pause = min(2*pause, 20*longPause)
	}
}

// peekLock loads the lock word, and then the switch word.
func (a *attachment) peekLock() (w lockWord, now switchWord, err error) {
	defer unguard(guard(), &err)
	w = lockWord(a.lock.Load())
	return w, switchWord(a.swtch.Load()), nil
}

// skipped says how many versions a watcher has missed that knew one and has now got another.
func skipped(known, version uint64) uint64 {
	if known == 0 {
		return 0
	}
	return version - known - 1
}
