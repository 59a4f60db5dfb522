package call

import (
	"context"
	"errors"
	"fmt"

	"github.com/partywall/partywall"
)

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
	if room := uint64(len(mem)) - min(at, uint64(len(mem))); n > min(room, MaxBody) {
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
	seq := t.slot.seq
	fields, err := t.exchange(ctx, requestFields{flags: flagFetch, region: r.number})
	switch {
	case err != nil && t.slot != nil && t.slot.seq == seq: // not published: the context has ended
		t.discard()
		return err
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

// ran corrects what the conn's end says once the handler is known to have run:
// ErrShutdown promises that it has not.
func ran(err error) error {
	if errors.Is(err, partywall.ErrShutdown) {
		return fmt.Errorf("%w: the service shut down before the result's body was fetched", partywall.ErrPeerGone)
	}
	return err
}

// discard tells the server to drop what it kept, without waiting for it: the
// slot is the watcher's from here on.
func (t *transaction) discard() {
	s := t.slot
	s.req.requestFields = requestFields{method: t.method.number, flags: flagFetch}
	s.fetch = true
	s.seq++
	t.conn.publish(s)
	t.conn.abandon(s)
	t.slot = nil
}
