package call

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/wait"
)

// Call asks the service and returns its result. A body that the handler adds to
// its result is dropped; [Method.CallBody] is for those.
//
// The error is a [*RemoteError] if the handler returned one or panicked.
// Otherwise it wraps the context's error if that ended first (the handler is
// told, and may still run for a while), [partywall.ErrPeerGone] if the server
// died, [partywall.ErrShutdown] if it did not take the call,
// [partywall.ErrNotFound] or [partywall.ErrLayout] if it has no such method,
// [partywall.ErrProtocol] if it broke the protocol, or [os.ErrClosed].
func (m *Method[A, R]) Call(ctx context.Context, c *Conn, arg A) (R, error) {
	var result R
	t, err := c.begin(ctx, &m.core)
	if err != nil {
		return result, err
	}
	m.arg.Publish(t.slot.arg[:m.arg.Size()], fixed.Bytes(&arg))
	fields, err := t.exchange(ctx, requestFields{argLen: uint32(m.arg.Size())})
	if err != nil {
		return result, t.end(err)
	}
	switch fields.status {
	case statusKept:
		m.result.Receive(fixed.Bytes(&result), t.slot.result[:m.result.Size()])
		err = t.fetch(ctx, 0, nil)
	case statusDone:
		m.result.Receive(fixed.Bytes(&result), t.slot.result[:m.result.Size()])
	default:
		err = t.refusal(fields)
	}
	return result, t.end(err)
}

// CallBody is Call with bodies: variable-size bytes beside the argument and the
// result. It sends body, appends the result's body to into, and returns the
// extended slice, as append does. A capacity in into for the whole result's body
// saves an allocation, and tells the server how much room to give.
//
// Bodies are copied once on each way. A body has at most [MaxBody] bytes;
// [partywall.ErrTooLarge] tells how to raise a smaller quota.
func (m *Method[A, R]) CallBody(ctx context.Context, c *Conn, arg A, body, into []byte) (R, []byte, error) {
	var result R
	if len(body) > MaxBody {
		return result, into, c.wrap(&m.core, fmt.Errorf("%w: a body of %d bytes; the limit is %d", partywall.ErrTooLarge, len(body), MaxBody))
	}
	t, err := c.begin(ctx, &m.core)
	if err != nil {
		return result, into, err
	}
	if err := t.lend(ctx, len(body), cap(into)-len(into)); err != nil {
		return result, into, t.end(err)
	}
	copy(t.slot.region.bytes(), body)
	m.arg.Publish(t.slot.arg[:m.arg.Size()], fixed.Bytes(&arg))
	fields, err := t.exchange(ctx, requestFields{
		argLen:  uint32(m.arg.Size()),
		region:  t.slot.region.number,
		bodyLen: uint64(len(body)),
	})
	if err != nil {
		return result, into, t.end(err)
	}
	switch fields.status {
	case statusDone:
		m.result.Receive(fixed.Bytes(&result), t.slot.result[:m.result.Size()])
		var got []byte
		if got, err = t.resultBody(bodyOffset(uint64(len(body))), fields.bodyLen); err == nil {
			into = append(into, got...)
		}
	case statusKept:
		m.result.Receive(fixed.Bytes(&result), t.slot.result[:m.result.Size()])
		err = t.fetch(ctx, fields.bodyLen, &into)
	default:
		err = t.refusal(fields)
	}
	return result, into, t.end(err)
}

// transaction is one call in the hands of its caller.
type transaction struct {
	conn   *Conn
	slot   *clientSlot // nil once it is abandoned
	method *remoteMethod
}

// begin looks the method up and claims a slot. Every begun transaction ends with
// end.
func (c *Conn) begin(ctx context.Context, m *core) (transaction, error) {
	r := c.table.find(m)
	if r == nil {
		var err error
		if r, err = c.resolve(ctx, m); err != nil {
			return transaction{}, err
		}
	}
	s, err := c.claim(ctx)
	if err != nil {
		return transaction{}, c.wrap(m, err)
	}
	return transaction{c, s, r}, nil
}

// end gives the slot back and says what an error is about.
func (t *transaction) end(err error) error {
	if t.slot != nil {
		t.conn.freeSlot(t.slot)
	}
	if err == nil {
		return nil
	}
	if remote := (*RemoteError)(nil); errors.As(err, &remote) {
		return err
	}
	return t.conn.wrap(t.method.core, err)
}

// exchange publishes the request whose argument and body are in place, waits for
// the answer, and loads its fields once.
func (t *transaction) exchange(ctx context.Context, fields requestFields) (responseFields, error) {
	c, s := t.conn, t.slot
	if err := ctx.Err(); err != nil {
		return responseFields{}, err
	}
	fields.method = t.method.number
	if ctx.Done() != nil {
		fields.flags |= flagCancellable
		if d, ok := ctx.Deadline(); ok {
			fields.flags |= flagDeadline
			fields.deadline = wait.ToClock(d)
		}
	}
	s.req.requestFields = fields
	s.seq++
	rang := c.publish(s)
	switch kept, err := c.await(ctx, s, &t.method.predictor, rang); {
	case !kept:
		t.slot = nil
		return responseFields{}, err
	case err != nil:
		return responseFields{}, err
	}
	return t.load()
}

// publish hands the slot to the server, and reports whether it was asleep:
// PROTOCOL.md, "Slots" and "Doorbells".
func (c *Conn) publish(s *clientSlot) (rang bool) {
	s.req.seq.Store(s.seq)
	if word, bit := c.pending[s.index/64], uint64(1)<<(s.index%64); s.seq&1 == 1 {
		word.Or(bit)
	} else {
		word.And(^bit)
	}
	if rang = c.bell.Due(); rang {
		c.link.Ring()
	}
	return rang
}

// load loads the answer's fields and checks the length.
func (t *transaction) load() (responseFields, error) {
	fields := t.slot.rsp.responseFields
	limit := uint32(t.conn.resultRoom)
	if fields.status == statusDone || fields.status == statusKept {
		limit = uint32(t.method.result.Size())
	}
	if checkLengths && fields.resultLen > limit {
		return fields, t.broke("a result of %d bytes where %d fit", fields.resultLen, limit)
	}
	return fields, nil
}

// broke ends the conn because the server broke the protocol.
func (t *transaction) broke(format string, args ...any) error {
	err := fmt.Errorf("%w: %s", partywall.ErrProtocol, fmt.Sprintf(format, args...))
	t.conn.fail(fmt.Errorf("conn to %q, %v: %w", t.conn.service, t.conn.link.Peer(), err))
	return err
}

// await waits for the answer: a caller that is alone spins if its method's past
// promises an answer soon; all others park, and the watcher looks for them. kept
// says whether the slot is still the caller's; if not, the caller has given up.
func (c *Conn) await(ctx context.Context, s *clientSlot, p *wait.Predictor, rang bool) (kept bool, err error) {
	want := s.seq
	if c.free.only(s.index) && p.Spin() {
		var turn wait.Turn
		if rang {
			turn.Rang()
		}
		for {
			switch s.rsp.seq.Load() {
			case want:
				turn.End()
				p.Hit()
				return true, nil
			case want - 1:
			default:
				turn.End()
				err := c.lie(s, want)
				c.fail(err)
				return true, err
			}
			if !turn.Next() {
				p.Miss()
				break
			}
			if n := turn.Turns(); n%32 == 0 && (c.end.Load() != nil || ctx.Err() != nil || !c.free.only(s.index)) {
				break
			}
		}
		turn.End()
	}
	start := time.Now()
	kept, err = c.park(ctx, s)
	wakes := 1
	if rang {
		wakes = 2
	}
	p.Slept(time.Since(start), wakes)
	return kept, err
}

// refusal turns an answer that is no result into an error.
func (t *transaction) refusal(fields responseFields) error {
	text := cleanText(string(t.slot.result[:fields.resultLen]))
	switch fields.status {
	case statusError, statusPanic:
		return &RemoteError{
			Service: t.conn.service,
			Method:  t.method.name,
			Message: text,
			Panic:   fields.status == statusPanic,
		}
	case statusRefused:
		return partywall.ErrShutdown
	case statusQuota:
		return &refused{partywall.ErrTooLarge, text}
	}
	return t.broke("status %d", fields.status)
}

// lend claims a body region with room for a request's body of n bytes and for a
// result's body: as much as the caller has room for, or as the last one had.
func (t *transaction) lend(ctx context.Context, n, room int) error {
	room = max(room, int(t.method.bodySize.Load()))
	need := int64(bodyOffset(uint64(n))) + int64(min(room, MaxBody))
	if need > t.conn.quota { // the room is a guess: what does not fit is fetched
		need = int64(bodyOffset(uint64(n)))
	}
	r, err := t.conn.bodies.claim(ctx, need)
	if err != nil {
		return err
	}
	t.slot.region = r
	return nil
}

// resultBody returns the result's body in the region lent.
func (t *transaction) resultBody(at, n uint64) ([]byte, error) {
	mem := t.slot.region.bytes()
	if room := uint64(len(mem)) - min(at, uint64(len(mem))); n > room {
		return nil, t.broke("a result's body of %d bytes where %d fit", n, room)
	}
	t.method.bodySize.Store(int64(n))
	return mem[at : at+n], nil
}

// fetch lends room for the n bytes that the server has kept and appends them to
// *into. With n 0 the server drops what it kept.
func (t *transaction) fetch(ctx context.Context, n uint64, into *[]byte) error {
	if n > MaxBody {
		return t.broke("a result's body of %d bytes; the limit is %d", n, MaxBody)
	}
	if t.slot.region != nil {
		t.conn.bodies.release(t.slot.region)
		t.slot.region = nil
	}
	if n == 0 {
		t.discard()
		return nil
	}
	r, err := t.conn.bodies.claim(ctx, int64(n))
	if err == nil {
		err = ctx.Err()
		t.slot.region = r
	}
	if err != nil {
		t.discard()
		return err
	}
	fields, err := t.exchange(ctx, requestFields{flags: flagFetch, region: r.number})
	switch {
	case err != nil:
		return err
	case fields.status != statusDone:
		return t.broke("status %d to a fetch", fields.status)
	case fields.bodyLen != n:
		return t.broke("a fetch of %d bytes brings %d", n, fields.bodyLen)
	}
	body, err := t.resultBody(0, n)
	if err == nil {
		*into = append(*into, body...)
	}
	return err
}

// discard tells the server to drop what it kept, without waiting for it: the
// slot is the watcher's from here on.
func (t *transaction) discard() {
	s := t.slot
	s.req.requestFields = requestFields{method: t.method.number, flags: flagFetch}
	s.seq++
	t.conn.publish(s)
	t.conn.abandon(s)
	t.slot = nil
}
