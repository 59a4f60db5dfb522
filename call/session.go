package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
	"github.com/partywall/partywall/internal/wait"
)

// A session is a conn as the server has it. Its goroutines are the reader, at most one worker with
// the role of looking for requests, which the reader has while the server sleeps, and handlers.
type session struct {
	server  *Server
	link    *rendezvous.Link
	peer    Peer
	control *control
	slots   []atomic.Pointer[serverSlot] // made at first use
	bell    wait.Bell                    // the client's
	place   wait.Place
	lent    lentRegions
	kept    atomic.Int64    // bytes of results that wait to be fetched
	calls   []atomic.Uint64 // by handler; the last is not counted: it is Describe's

	ctx    *connContext // ends with the conn; the handlers' context, or its parent
	cancel context.CancelCauseFunc
	ended  atomic.Bool
	users  sync.WaitGroup // readers, workers and handlers: whoever uses the memory
	apart  atomic.Int64   // handlers that do not run in the worker
	worked atomic.Int64   // nanoseconds that the last handler took that was timed
	rang   atomic.Bool    // an answer found the client asleep since the worker last had nothing to do

	role role // of the worker that has it
}

// newSession makes the conn's control region.
func newSession(s *Server, link *rendezvous.Link) (*session, error) {
	g := s.geometry()
	r, err := link.MakeRegion("control", g.size())
	if err != nil {
		return nil, err
	}
	x := &session{
		server:  s,
		link:    link,
		peer:    peerOf(link.Peer()),
		control: newControl(g, r),
		slots:   make([]atomic.Pointer[serverSlot], g.slots),
		calls:   make([]atomic.Uint64, len(s.handlers)),
	}
	x.control.writeHeader()
	link.RingWith(msgRing)
	x.bell.Init(x.control.clientBell)
	x.place.Init(x.control.serverCPU, x.control.clientCPU, wait.Patience)
	x.lent.init(s.config.quota)
	x.role.init(x)
	ctx, cancel := context.WithCancelCause(s.ctx)
	x.ctx, x.cancel = &connContext{ctx}, cancel
	return x, nil
}

// serve serves the client until the conn ends, and returns when nothing of it is
// left.
func (x *session) serve() {
	x.users.Go(newWorker(x).work)
	x.users.Go(x.read)
	x.users.Wait()
	x.server.monitor.forget(x)
	x.lent.close()
	x.control.region.Close()
	x.server.dismiss(x)
}

// end ends the conn: the contexts of its handlers, and its worker.
func (x *session) end(err error) {
	if !x.ended.Swap(true) {
		x.cancel(err)
		x.link.Close()
		if errors.Is(err, partywall.ErrProtocol) || errors.Is(err, os.ErrDeadlineExceeded) {
			x.server.config.onError(fmt.Errorf("service %q: conn of %v ended: %w", x.server.name, x.link.Peer(), err))
		}
	}
}

// leave ends the conn because the server closes. BYE promises that what was not
// answered did not run; no handler starts any more.
func (x *session) leave() {
	if !x.busy() {
		x.link.TrySend(msgBye, nil)
	}
	x.end(context.Cause(x.server.ctx))
}

// busy reports whether a handler runs. A worker that is overtaken counts as apart
// before it loses the role, so the role is asked first.
func (x *session) busy() bool { return x.role.inside() || x.apart.Load() != 0 }

// read is the session's reader. It ends with the conn, or when it was overtaken in a handler, and there is another one.
func (x *session) read() {
	w := &worker{role: &x.role, reads: true}
	for {
		m, err := x.link.Receive()
		if err == nil {
			err = x.receive(m)
		}
		if err != nil {
			x.end(gone(err))
			return
		}
		if !w.rung() { // whatever the message: a ring is dropped while the link is full of others
			return
		}
	}
}

func (x *session) receive(m rendezvous.Message) error {
	if m.Kind == msgLend {
		return x.receiveLend(m)
	}
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
	case msgResolve:
		r, err := decode[resolve](m.Payload)
		if err != nil {
			return err
		}
		return x.link.Send(msgResolved, encode(x.resolve(r)), nil)
	case msgUnlend:
		u, err := decode[unlend](m.Payload)
		if err != nil {
			return err
		}
		return x.lent.remove(u.Region)
	case msgCancel:
		c, err := decode[cancellation](m.Payload)
		if err != nil {
			return err
		}
		if int64(c.Slot) >= int64(len(x.slots)) {
			return fmt.Errorf("%w: cancellation of slot %d of %d", partywall.ErrProtocol, c.Slot, len(x.slots))
		}
		x.slot(int(c.Slot)).giveUp(c.Seq)
		return nil
	}
	return fmt.Errorf("%w: unknown message %d", partywall.ErrProtocol, m.Kind)
}

// resolve looks a method up. Schemas that are not the same, byte for byte, go
// back to the client, which decides whether they match.
func (x *session) resolve(r resolve) resolved {
	n := x.server.find(r.Method)
	if n == 0 {
		return resolved{ID: r.ID}
	}
	h := x.server.handlers[n-1]
	reply := resolved{ID: r.ID, Method: uint32(n), InPlace: h.inPlace}
	if !bytes.Equal(h.arg.schema, r.Arg) {
		reply.Arg = h.arg.schema
	}
	if !bytes.Equal(h.result.schema, r.Result) {
		reply.Result = h.result.schema
	}
	return reply
}

func (x *session) receiveLend(m rendezvous.Message) error {
	if m.File == nil && m.Lost == nil {
		return fmt.Errorf("%w: a lend without a descriptor", partywall.ErrProtocol)
	}
	l, err := decode[lend](m.Payload)
	if err != nil {
		m.File.Close()
		return err
	}
	reply := lent{Region: l.Region}
	switch err := x.lent.add(l, m.File, m.Lost); {
	case errors.Is(err, partywall.ErrProtocol):
		return err
	case errors.Is(err, partywall.ErrTooLarge):
		reply.Refuse = refusalOf(err)
	case err != nil:
		reply.Refuse = refusalOf(fmt.Errorf("%w: %q cannot take a body: %w", partywall.ErrBusy, x.server.name, err))
	}
	return x.link.Send(msgLent, encode(reply), nil)
}
