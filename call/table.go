package call

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
	"github.com/partywall/partywall/internal/wait"
)

// methodTable holds what a conn knows of the service's methods.
type methodTable struct {
	known atomic.Pointer[[]*remoteMethod] // by core.index

	mu      sync.Mutex
	last    uint32
	pending map[uint32]chan resolved
}

// remoteMethod is a method as the service at the other end numbers it.
type remoteMethod struct {
	*core
	number    uint32
	predictor wait.Predictor
	bulk      atomic.Int64 // bytes of the last result that did not lie in the slot
}

// learn notes how many bytes of a result did not lie in the slot. Callers share the
// number, so it is written only where it changes.
func (m *remoteMethod) learn(n uint64) {
	if m.bulk.Load() != int64(n) {
		m.bulk.Store(int64(n))
	}
}

func (t *methodTable) find(m *core) *remoteMethod {
	if k := t.known.Load(); k != nil && m.index < len(*k) {
		return (*k)[m.index]
	}
	return nil
}

func (t *methodTable) add(r *remoteMethod) *remoteMethod {
	t.mu.Lock()
	defer t.mu.Unlock()
	var known []*remoteMethod
	if k := t.known.Load(); k != nil {
		known = append(known, *k...)
	}
	for len(known) <= r.index {
		known = append(known, nil)
	}
	if known[r.index] == nil {
		known[r.index] = r
		t.known.Store(&known)
	}
	return known[r.index]
}

// expect registers for an answer of the server.
func (t *methodTable) expect() (uint32, chan resolved) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	reply := make(chan resolved, 1)
	t.pending[t.last] = reply
	return t.last, reply
}

func (t *methodTable) forget(id uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.pending, id)
}

// deliver passes the server's answer to whoever asked; one who has stopped
// waiting may get none.
func (t *methodTable) deliver(r resolved) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.ID == 0 || r.ID > t.last {
		return fmt.Errorf("%w: an answer to look-up %d, which was not asked", partywall.ErrProtocol, r.ID)
	}
	if reply := t.pending[r.ID]; reply != nil {
		delete(t.pending, r.ID)
		reply <- r
	}
	return nil
}

// resolve returns the service's number for a method, asking it the first time.
func (c *Conn) resolve(ctx context.Context, m *core) (*remoteMethod, error) {
	if r := c.table.find(m); r != nil {
		return r, nil
	}
	r, err := c.lookUp(ctx, m.name, m)
	if err != nil {
		return nil, err
	}
	if err := c.learn(m, r); err != nil {
		return nil, err
	}
	return c.table.add(&remoteMethod{core: m, number: r.Method}), nil
}

// lookUp asks the service for a method. Without m it asks what the method is.
func (c *Conn) lookUp(ctx context.Context, name string, m *core) (resolved, error) {
	id, reply := c.table.expect()
	defer c.table.forget(id)
	ask := resolve{ID: id, Method: name}
	if m != nil {
		ask.Arg, ask.Result, ask.InPlace = m.arg.schema, m.result.schema, m.inPlace
	}
	payload := encode(ask)
	if len(payload) > rendezvous.MaxPayload {
		return resolved{}, c.wrap(name, fmt.Errorf("%w: a look-up of %d bytes; the limit is %d", partywall.ErrTooLarge, len(payload), rendezvous.MaxPayload))
	}
	go c.send(msgResolve, payload)
	select {
	case r := <-reply:
		if r.Method == 0 {
			return r, fmt.Errorf("%w: service %q has no method %q", partywall.ErrNotFound, c.service, name)
		}
		return r, nil
	case <-ctx.Done():
		return resolved{}, c.wrap(name, ctx.Err())
	case <-c.ended:
		return resolved{}, c.wrap(name, c.Err())
	}
}

// learn compares what the service has said of a method with what this process
// knows of it.
func (c *Conn) learn(m *core, r resolved) error {
	var err error
	switch {
	case m.arg.room() > c.argRoom || m.result.room() > c.resultRoom:
		err = fmt.Errorf("%w: slots have no room for it", partywall.ErrProtocol)
	case m.inPlace != r.InPlace:
		err = fmt.Errorf("%w: one side works in place, with NewInPlace, and the other does not", partywall.ErrLayout)
	default:
		if err = m.arg.match(r.arg(m)); err != nil {
			err = fmt.Errorf("argument: %w", err)
		} else if err = m.result.match(r.result(m)); err != nil {
			err = fmt.Errorf("result: %w", err)
		}
	}
	if err == nil {
		return nil
	}
	err = c.wrap(m.name, err)
	if errors.Is(err, partywall.ErrProtocol) {
		c.fail(err)
	}
	return err
}

// arg returns the service's schema of the argument: it says only what differs.
func (r *resolved) arg(m *core) []byte {
	if len(r.Arg) == 0 {
		return m.arg.schema
	}
	return r.Arg
}

func (r *resolved) result(m *core) []byte {
	if len(r.Result) == 0 {
		return m.result.schema
	}
	return r.Result
}

// wrap says which service and method an error is about.
func (c *Conn) wrap(method string, err error) error {
	return fmt.Errorf("call %s.%s: %w", c.service, method, err)
}
