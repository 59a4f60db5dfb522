package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/partywall/partywall"
)

// parcel is what a request brings.
type parcel struct {
	data   []byte // the argument, unless the caller writes it to the slot itself
	argLen int
	meta   []byte
	body   []byte

	wantBody bool
	into     []byte // what the result's body is appended to
}

// place puts a parcel where the server looks for it: what fits into the slot,
// there; the rest in a body region. docs/LAYOUT.md, "A body region".
func (t *transaction) place(ctx context.Context, p *parcel) (requestFields, error) {
	f := requestFields{argLen: uint32(p.argLen), metaLen: uint32(len(p.meta)), bodyLen: uint64(len(p.body))}
	arg, meta := t.conn.spill(f.argLen, f.metaLen)
	sent := bulk(f.bodyLen, arg+meta)
	asked, guess := t.room(p)
	if sent > 0 || asked > 0 || guess > 0 || p.wantBody {
		err := t.placeBehind(ctx, p, &f, sent, asked, guess)
		return f, err
	}
	copy(t.slot.arg, p.data)
	copy(t.slot.arg[p.argLen:], p.meta)
	return f, nil
}

// placeBehind is place for a parcel that needs a body region. It is apart so that other calls need less of the stack.
func (t *transaction) placeBehind(ctx context.Context, p *parcel, f *requestFields, sent uint64, asked, guess int) error {
	if len(p.body) > MaxBody {
		return fmt.Errorf("%w: a body of %d bytes; the limit is %d", partywall.ErrTooLarge, len(p.body), MaxBody)
	}
	if err := t.lend(ctx, sent, asked, guess); err != nil {
		return err
	}
	if r := t.slot.region; r != nil {
		f.region = r.number
	}
	var behind []byte // the body
	if sent > 0 {
		mem := t.slot.region.bytes()
		copyBody(mem, p.body)
		behind = mem[min(bodyOffset(f.bodyLen), uint64(len(mem))):]
	}
	arg, meta := t.conn.spill(f.argLen, f.metaLen)
	if arg > 0 {
		copy(behind, p.data)
	} else {
		copy(t.slot.arg, p.data)
	}
	if meta > 0 {
		copy(behind[arg:], p.meta)
	} else if len(p.meta) > 0 {
		copy(t.slot.arg[p.argLen:], p.meta)
	}
	return nil
}

// room is how much of a body region the result may need: as much as the caller has
// room for, which is asked for, or as the last one did, which is a guess.
func (t *transaction) room(p *parcel) (asked, guess int) {
	if !p.wantBody && t.method.result.kind == fixedForm {
		return 0, 0
	}
	return min(cap(p.into)-len(p.into), MaxBody), min(int(t.method.bulk.Load()), MaxBody)
}

// lend claims a body region for n bytes of a request, and room for a result: what does
// not fit is fetched. Room that is asked for is left out if it exceeds the quota. A guess
// is also left out if it would have to wait for other calls, which may be waiting for
// this one. Without any, no bytes need no region.
func (t *transaction) lend(ctx context.Context, n uint64, asked, guess int) (err error) {
	pool, sent := &t.conn.bodies, int64(bodyOffset(n))
	need := sent + int64(asked)
	if need > t.conn.quota {
		need = sent
	}
	wish := sent + int64(max(asked, guess))
	if wish == 0 {
		wish = 1 // a result's body is wanted, and mostly fits into the smallest region
	}
	if need < wish && wish <= t.conn.quota {
		if t.slot.region, err = pool.claim(ctx, wish, false); err != errNoQuota {
			return err
		}
	}
	if need > 0 {
		t.slot.region, err = pool.claim(ctx, need, true)
		return err
	}
	return nil
}

// collect takes what of an answer does not lie in the slot: the result's body,
// which it appends to p.into, and a result too long for the slot.
func (t *transaction) collect(ctx context.Context, p *parcel, request *requestFields, answer *responseFields) (result, into []byte, err error) {
	into = p.into
	spilled := t.conn.spillResult(answer.resultLen)
	if answer.status == statusKept && spilled == 0 && (!p.wantBody || answer.bodyLen == 0) {
		t.discard()
		return nil, into, nil
	}
	if answer.bodyLen > MaxBody {
		return nil, into, t.broke("a result's body of %d bytes; the limit is %d", answer.bodyLen, MaxBody)
	}
	n := bulk(answer.bodyLen, spilled)
	arg, meta := t.conn.spill(request.argLen, request.metaLen)
	at := bodyOffset(bulk(request.bodyLen, arg+meta))
	if answer.status == statusKept {
		if err := t.fetch(ctx, n); err != nil {
			return nil, into, ran(err)
		}
		at = 0
	}
	var mem []byte
	if t.slot.region != nil {
		mem = t.slot.region.bytes()
		mem = mem[min(at, uint64(len(mem))):]
	}
	if n > uint64(len(mem)) {
		return nil, into, t.broke("a result's body of %d bytes and a result of %d where %d fit", answer.bodyLen, spilled, len(mem))
	}
	t.method.learn(n)
	if p.wantBody {
		into = appendBody(into, mem[:answer.bodyLen])
	}
	if spilled > 0 {
		result = bytes.Clone(mem[n-spilled : n])
	}
	return result, into, nil
}

// fetch lends room for the n bytes that the server has kept, and has it copy them
// there.
func (t *transaction) fetch(ctx context.Context, n uint64) error {
	if t.slot.region != nil {
		t.conn.bodies.release(t.slot.region)
		t.slot.region = nil
	}
	r, err := t.conn.bodies.claim(ctx, int64(n), true)
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
	return nil
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
