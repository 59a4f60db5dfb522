package call

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall/internal/wait"
)

// callContext is the context of one call whose caller may give up. It is as
// small as can be, since there is a new one for each such call: handlers keep
// contexts, so none is reused. Its channel and its timer are made when somebody
// first asks for them.
type callContext struct {
	*connContext       // values, and the conn's end
	deadline     int64 // wait.ToClock, or 0
	late         atomic.Pointer[ending]
}

// connContext is the context of a session's handlers whose callers cannot give up,
// and the parent of the others.
type connContext struct{ context.Context }

// ending is what a callContext has once somebody has asked for its channel, or
// once it has ended.
type ending struct {
	mu    sync.Mutex
	err   error
	done  chan struct{} // closed with err
	timer *time.Timer
	stop  func() bool
}

// Contexts that end before somebody has asked for their channel share these.
var (
	canceled = newEnding(context.Canceled)
	overdue  = newEnding(context.DeadlineExceeded)
)

func newEnding(err error) *ending {
	e := &ending{err: err, done: make(chan struct{})}
	close(e.done)
	return e
}

// Deadline returns the caller's deadline.
func (c *callContext) Deadline() (time.Time, bool) {
	if c.deadline == 0 {
		return time.Time{}, false
	}
	return wait.FromClock(c.deadline), true
}

// Done returns the channel that is closed when the caller has given up, its
// deadline has passed, the conn has ended, or the handler has returned.
func (c *callContext) Done() <-chan struct{} {
	if e := c.late.Load(); e != nil {
		return e.done
	}
	e := &ending{done: make(chan struct{})}
	e.mu.Lock() // who ends the context waits until the timer is there to be stopped
	defer e.mu.Unlock()
	if !c.late.CompareAndSwap(nil, e) {
		return c.late.Load().done
	}
	e.stop = context.AfterFunc(c.Context, func() { c.end(c.Context.Err()) })
	if d, ok := c.Deadline(); ok {
		e.timer = time.AfterFunc(time.Until(d), func() { c.end(context.DeadlineExceeded) })
	}
	return e.done
}

// Err returns why the context has ended, or nil.
func (c *callContext) Err() error {
	if e := c.late.Load(); e != nil {
		e.mu.Lock()
		err := e.err
		e.mu.Unlock()
		if err != nil {
			return err
		}
	}
	switch {
	case c.Context.Err() != nil:
		c.end(c.Context.Err())
	case c.deadline != 0 && time.Until(wait.FromClock(c.deadline)) <= 0:
		c.end(context.DeadlineExceeded)
	default:
		return nil
	}
	return c.Err()
}

// end ends the context; the first reason counts.
func (c *callContext) end(err error) {
	e := c.late.Load()
	if e == nil {
		var ended *ending
		switch err {
		case context.Canceled:
			ended = canceled
		case context.DeadlineExceeded:
			ended = overdue
		default:
			ended = newEnding(err)
		}
		if c.late.CompareAndSwap(nil, ended) {
			return
		}
		e = c.late.Load()
	}
	e.end(err)
}

func (e *ending) end(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return
	}
	e.err = err
	if e.timer != nil {
		e.timer.Stop()
	}
	e.stop()
	close(e.done)
}
