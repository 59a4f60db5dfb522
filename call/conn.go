package call

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/rendezvous"
	"github.com/partywall/partywall/internal/wait"
)

// A Conn is a client's attachment to a service. Any number of goroutines may
// call through it at once; up to 1,024 calls are in flight, and more wait. Close
// it when it is no longer needed.
type Conn struct {
	service      string
	link         *rendezvous.Link
	peer         Peer
	quota        int64
	interceptors []Interceptor
	*control

	slots  []atomic.Pointer[clientSlot] // made at first use, by whoever has claimed the slot
	free   freeSlots
	turns  turns
	bell   wait.Bell // the server's
	place  wait.Place
	watch  watcher
	bodies bodyPool
	table  methodTable

	end     atomic.Pointer[connEnd]
	ended   chan struct{} // closed with end
	drained chan struct{} // closed when nothing of the conn is left
}

// handshakeTimeout is how long a peer may take to answer in the handshake. Tests
// shorten it.
var handshakeTimeout = rendezvous.Timeout

// connEnd says why a conn has ended.
type connEnd struct{ err error }

// Dial connects to the service of that name, which another process of this user
// serves, and which [Start] has it start if nobody does. The context bounds the
// connecting, not the conn.
//
// The error wraps [partywall.ErrName], [partywall.ErrNotFound] if nobody serves
// the name, [partywall.ErrAccess] if the run directory is not this user's alone,
// [partywall.ErrVersion], [partywall.ErrBusy], [partywall.ErrShutdown],
// [partywall.ErrPeerGone], [partywall.ErrProtocol], [partywall.ErrLayout] if an
// expected method has other types, the context's error, or
// [os.ErrDeadlineExceeded] if the server does not answer within five seconds.
func Dial(ctx context.Context, name string, options ...DialOption) (*Conn, error) {
	var config dialConfig
	for _, o := range options {
		o.dial(&config)
	}
	c, err := config.reach(ctx, name)
	if err != nil {
		return nil, err
	}
	c.interceptors = config.interceptors
	for _, m := range config.expect {
		if _, err := c.resolve(ctx, m.method()); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// attach does the client's half of the handshake.
func attach(ctx context.Context, name string, link *rendezvous.Link) (*Conn, error) {
	if err := link.Send(msgHello, encode(hello{Version: ProtocolVersion, Service: name}), nil); err != nil {
		return nil, gone(err)
	}
	_ = link.SetReceiveDeadline(time.Now().Add(handshakeTimeout))
	stop := context.AfterFunc(ctx, link.Interrupt)
	m, err := link.Receive()
	if m.File != nil {
		defer m.File.Close()
	}
	if !stop() && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, gone(err)
	}
	if m.Lost != nil {
		return nil, m.Lost
	}
	_ = link.SetReceiveDeadline(time.Time{})
	switch {
	case m.Kind == msgRefuse:
		r, err := decode[refusal](m.Payload)
		if err != nil {
			return nil, err
		}
		return nil, r.err()
	case m.Kind == msgBye: // it closes between having let this client in and saying so
		return nil, fmt.Errorf("%w: service %q", partywall.ErrShutdown, name)
	case m.Kind != msgWelcome || m.File == nil:
		return nil, fmt.Errorf("%w: message %d in the handshake", partywall.ErrProtocol, m.Kind)
	}
	w, err := decode[welcome](m.Payload)
	if err != nil {
		return nil, err
	}
	g := geometry{slots: int(w.Slots), argRoom: int(w.ArgRoom), resultRoom: int(w.ResultRoom)}
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("%w: welcome: %w", partywall.ErrProtocol, err)
	}
	r, err := region.Accept(m.File, g.size())
	if err != nil {
		return nil, err
	}
	return newConn(name, link, newControl(g, r), int64(min(w.Quota, 1<<62))), nil
}

func newConn(name string, link *rendezvous.Link, control *control, quota int64) *Conn {
	c := &Conn{
		service: name,
		link:    link,
		peer:    peerOf(link.Peer()),
		quota:   quota,
		control: control,
		slots:   make([]atomic.Pointer[clientSlot], control.slots),
		ended:   make(chan struct{}),
		drained: make(chan struct{}),
	}
	link.RingWith(msgRing)
	c.free.init(control.slots)
	c.bell.Init(control.serverBell)
	c.place.Init(control.clientCPU, control.serverCPU, 0)
	c.watch.init(control.clientBell, control.slots)
	c.bodies.init(c)
	c.table.pending = map[uint32]chan resolved{}
	var running sync.WaitGroup
	running.Go(c.read)
	running.Go(c.watchAnswers)
	go func() {
		running.Wait()
		c.release()
	}()
	return c
}

// Service returns the name that was dialled.
func (c *Conn) Service() string { return c.service }

// Peer returns who serves.
func (c *Conn) Peer() Peer { return c.peer }

// Done returns a channel that is closed when the conn has ended, by Close, by the
// server's death or by a breach of the protocol; [Conn.Err] says which.
func (c *Conn) Done() <-chan struct{} { return c.ended }

// Err returns why the conn has ended, or nil if it has not. It wraps
// [os.ErrClosed], [partywall.ErrPeerGone], [partywall.ErrShutdown] or
// [partywall.ErrProtocol].
func (c *Conn) Err() error {
	if e := c.end.Load(); e != nil {
		return e.err
	}
	return nil
}

// Close ends the conn. Calls in flight return an error that wraps [os.ErrClosed],
// unless their answer has come by then; Close waits for them to return. It is
// idempotent and may be called concurrently.
func (c *Conn) Close() error {
	c.fail(fmt.Errorf("conn to %q: %w", c.service, os.ErrClosed))
	<-c.drained
	return nil
}

// fail ends the conn; the first reason counts.
func (c *Conn) fail(err error) {
	if c.end.CompareAndSwap(nil, &connEnd{err}) {
		close(c.ended)
		c.link.Close()
		c.watch.poke()
		c.bodies.end()
	}
}

// release gives back what the conn holds, once every call has left it.
func (c *Conn) release() {
	c.free.drain()
	c.bodies.close()
	c.control.region.Close()
	close(c.drained)
}

// read is the conn's reader: it turns rings into wakes and the end of file into
// the conn's end.
func (c *Conn) read() {
	bye := false
	for {
		m, err := c.link.Receive()
		if err == nil {
			c.watch.poke() // whatever the message: a ring is dropped while the link is full of others
			err = c.receive(m, &bye)
		}
		if err == nil {
			continue
		}
		switch {
		case bye:
			err = fmt.Errorf("%w: service %q", partywall.ErrShutdown, c.service)
		case !errors.Is(err, partywall.ErrProtocol):
			err = gone(err)
		}
		c.fail(fmt.Errorf("conn to %q, %v: %w", c.service, c.link.Peer(), err))
		return
	}
}

func (c *Conn) receive(m rendezvous.Message, bye *bool) error {
	if m.File != nil {
		m.File.Close()
		return fmt.Errorf("%w: a descriptor with message %d", partywall.ErrProtocol, m.Kind)
	}
	if err := checkEmpty(m); err != nil {
		return err
	}
	switch m.Kind {
	case msgRing:
		return nil
	case msgResolved:
		r, err := decode[resolved](m.Payload)
		if err != nil {
			return err
		}
		return c.table.deliver(r)
	case msgLent:
		l, err := decode[lent](m.Payload)
		if err != nil {
			return err
		}
		return c.bodies.deliver(l)
	case msgBye:
		*bye = true
		return nil
	}
	return fmt.Errorf("%w: unknown message %d", partywall.ErrProtocol, m.Kind)
}

// send sends a message for a caller who cannot wait for it.
func (c *Conn) send(kind uint8, payload []byte) {
	if err := c.link.Send(kind, payload, nil); err != nil {
		c.lost(err)
	}
}

// lost ends the conn because a message that the server needs did not go out. If
// the link is broken, the reader is given the time to end the conn first, since it
// finds out whether there was a BYE.
func (c *Conn) lost(err error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		select {
		case <-c.ended:
			return
		case <-time.After(rendezvous.Timeout):
		}
	}
	c.fail(fmt.Errorf("conn to %q, %v: %w", c.service, c.link.Peer(), gone(err)))
}

// gone turns the link's errors into the sentinel they mean.
func gone(err error) error {
	switch {
	case errors.Is(err, partywall.ErrProtocol), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.EOF):
		return partywall.ErrPeerGone
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the peer does not answer: %w", os.ErrDeadlineExceeded)
	}
	return fmt.Errorf("%w: %w", partywall.ErrPeerGone, err)
}
