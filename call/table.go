package call

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
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
	bodySize  atomic.Int64 // of the last result's body
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
	id, reply := c.table.expect()
	defer c.table.forget(id)
	ask := resolve{ID: id, Method: m.name, Arg: schemaOf(m.arg), Result: schemaOf(m.result)}
	payload := encode(ask)
	if len(payload) > rendezvous.MaxPayload {
		return nil, c.wrap(m, fmt.Errorf("%w: a look-up of %d bytes; the limit is %d", partywall.ErrTooLarge, len(payload), rendezvous.MaxPayload))
	}
	go c.send(msgResolve, payload)
	select {
	case r := <-reply:
		return c.learn(m, r)
	case <-ctx.Done():
		return nil, c.wrap(m, ctx.Err())
	case <-c.ended:
		return nil, c.wrap(m, c.Err())
	}
}

func (c *Conn) learn(m *core, r resolved) (*remoteMethod, error) {
	switch {
	case r.Method != 0 && (m.arg.Size() > c.argRoom || m.result.Size() > c.resultRoom):
		err := c.wrap(m, fmt.Errorf("%w: slots have no room for it", partywall.ErrProtocol))
		c.fail(err)
		return nil, err
	case r.Method != 0:
		return c.table.add(&remoteMethod{core: m, number: r.Method}), nil
	case len(r.Arg) == 0:
		return nil, fmt.Errorf("%w: service %q has no method %q", partywall.ErrNotFound, c.service, m.name)
	}
	err := matchSchema("argument", m.arg, r.Arg)
	if err == nil {
		err = matchSchema("result", m.result, r.Result)
	}
	if err == nil {
		err = partywall.ErrLayout
	}
	err = c.wrap(m, err)
	if errors.Is(err, partywall.ErrProtocol) {
		c.fail(err)
	}
	return nil, err
}

func matchSchema(role string, mine *fixed.Type, theirs []byte) error {
	s, err := fixed.ParseSchema(theirs)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", partywall.ErrProtocol, role, err)
	}
	if err := fixed.Match(mine.Schema(), s); err != nil {
		return fmt.Errorf("%s: %w", role, err)
	}
	return nil
}

// schemaOf cannot fail: a Type has a schema that encodes.
func schemaOf(t *fixed.Type) []byte { return must(t.Schema().MarshalBinary()) }

// wrap says which service and method an error is about.
func (c *Conn) wrap(m *core, err error) error {
	return fmt.Errorf("call %s.%s: %w", c.service, m.name, err)
}
