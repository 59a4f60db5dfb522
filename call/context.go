package call

import (
	"context"
	"sync"
	"time"

	"github.com/partywall/partywall/internal/wait"
)

// callContext is the context of one call whose caller may give up. Its channel
// and its timer are made when somebody first asks for them. It is not reused:
// handlers keep contexts.
type callContext struct {
	context.Context        // the session's: values, and the conn's end
	number          uint32 // the request's
	deadline        int64  // wait.ToClock, or 0

	mu    sync.Mutex
	err   error
	done  chan struct{}
	timer *time.Timer
	stop  func() bool
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
			return c.done
		}
		c.stop = context.AfterFunc(c.Context, func() { c.end(c.Context.Err()) })
		if d, ok := c.Deadline(); ok {
			c.timer = time.AfterFunc(time.Until(d), func() { c.end(context.DeadlineExceeded) })
		}
	}
	return c.done
}

// Err returns why the context has ended, or nil.
func (c *callContext) Err() error {
	c.mu.Lock()
	err := c.err
	c.mu.Unlock()
	switch {
	case err != nil:
		return err
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.done != nil {
		c.stop()
		close(c.done)
	}
}
