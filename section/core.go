package section

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall/internal/backing"
	"github.com/partywall/partywall/internal/wait"
)

// core is a handle, whatever its type: a participant of the protocol.
type core struct {
	at atomic.Pointer[attachment] // nil once it is closed

	name     string
	want     form // the program's
	readOnly bool
	created  bool // by this handle
	notify   func()

	backing backing.Backing
	anchor  *anchor
	number  int // this participant's
	pins    pins

	mu sync.Mutex // one goroutine goes on to another region, or to none; nobody waits for others with it

	closes    sync.Once
	life      context.Context // ends when the handle is closed
	end       context.CancelFunc
	closing   atomic.Bool
	watching  atomic.Int32 // goroutines that touch the anchor to wait
	predictor wait.Predictor
}

// enter keeps a mapped until its busy is taken back, if a is still what the handle is attached to.
func (c *core) enter(a *attachment) bool {
	a.busy.Add(1)
	if c.at.Load() == a {
		return true
	}
	a.busy.Add(-1)
	return false
}

// swap goes on from old to next, nil for none, and unmaps old when nobody is busy there.
func (c *core) swap(old, next *attachment) {
	c.at.Store(next)
	for pause := time.Duration(0); old.busy.Load() != 0; pause = min(pause+shortPause, longPause) {
		runtime.Gosched()
		time.Sleep(pause)
	}
	old.region.Close()
}

// wrap says which section an error is about.
func (c *core) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("section %q: %w", c.name, err)
}

// touch keeps the anchor mapped until watching is taken back, if the handle is open.
func (c *core) touch() bool {
	c.watching.Add(1)
	if !c.closing.Load() {
		return true
	}
	c.watching.Add(-1)
	return false
}

// close gives back all that the handle holds; the last one removes what is not to be kept.
func (c *core) close() (err error) {
	c.closes.Do(func() {
		c.closing.Store(true)
		c.end()
		c.mu.Lock()
		c.swap(c.at.Load(), nil)
		c.mu.Unlock() // before those are waited for who may be about to take it
		for c.watching.Load() != 0 {
			c.backing.WakeOwn(c.anchor.bell, c.number)
			time.Sleep(shortPause)
		}
		err = c.leave()
	})
	return err
}

// leave gives back the number, and what stands behind it.
func (c *core) leave() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), endurance, os.ErrDeadlineExceeded)
	defer cancel()
	err := c.backing.Lock(ctx)
	fault, keep := c.forget(), c.kept()
	c.backing.Release()
	if err == nil {
		if !c.backing.Anyone() && !keep {
			err = c.backing.Destroy()
		}
		c.backing.Unlock()
	}
	// If the lock was not to be had, whoever opens the section next clears up.
	return errors.Join(fault, err, c.backing.Close())
}

// forget takes back what introduce has told others.
func (c *core) forget() (err error) {
	defer unguard(guard(), &err)
	e := c.anchor.entry(c.number)
	e.role.Store(0)
	e.since.Store(0)
	e.watchers.Store(0)
	if c.backing.Grows() {
		e.who.Store(0)
	}
	return nil
}

// kept reports whether the section outlives its processes. One whose anchor has gone does not.
func (c *core) kept() (kept bool) {
	var fault error
	defer unguard(guard(), &fault)
	return c.anchor.flags.Load()&keepFlag != 0
}

// readers names the processes that have pinned cells.
func (c *core) readers() string {
	var pids []string
	for i := range c.anchor.entries {
		if e := c.anchor.entry(i); pinned(e.pins.Load()) != 0 {
			pids = append(pids, fmt.Sprint(e.who.Load()>>32))
		}
	}
	return strings.Join(pids, ", ")
}

// fill in what others may know of this participant.
func (c *core) introduce() {
	e := c.anchor.entry(c.number)
	c.pins.init(&e.pins)
	e.watchers.Store(0)
	e.since.Store(time.Now().UnixNano())
	role := uint32(roleWriter)
	if c.readOnly {
		role = roleReader
	}
	e.role.Store(role)
	if c.backing.Grows() {
		e.who.Store(uint64(os.Getpid()) << 32)
	}
}
