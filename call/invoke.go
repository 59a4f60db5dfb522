package call

import (
	"context"
	"fmt"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

// Call asks the service and returns its result. A body that the handler adds to
// its result is dropped; [Method.CallBody] is for those.
//
// The error is a [*RemoteError] if the handler returned one or panicked.
// Otherwise it wraps the context's error if that ended first (the handler is
// told, and may still run for a while), [partywall.ErrPeerGone] if the server
// died, [partywall.ErrShutdown] if it did not take the call,
// [partywall.ErrNotFound] or [partywall.ErrLayout] if it has no such method,
// [partywall.ErrProtocol] if it broke the protocol, [partywall.ErrTooLarge] if
// its handler asked for a body beyond the quota, or [os.ErrClosed].
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
		err = ran(t.fetch(ctx, fields.bodyLen, &into))
	default:
		err = t.refusal(fields)
	}
	return result, into, t.end(err)
}
