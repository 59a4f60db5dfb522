package call

import (
	"bytes"
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
// told, and may still run for a while), or if the handler returned that its context's
// deadline, which is the caller's, has passed; [partywall.ErrPeerGone] if the server
// died, [partywall.ErrShutdown] if it did not take the call,
// [partywall.ErrNotFound] or [partywall.ErrLayout] if it has no such method,
// [partywall.ErrProtocol] if it broke the protocol, [partywall.ErrTooLarge] if
// the argument exceeds a limit or the handler asked for a body beyond the quota, or
// [os.ErrClosed].
func (m *Method[A, R]) Call(ctx context.Context, c *Conn, arg A) (result R, err error) {
	_, err = m.invoke(ctx, c, &arg, &result, &parcel{})
	return result, err
}

// CallBody is Call with bodies: variable-size bytes beside the argument and the
// result. It sends body, appends the result's body to into, and returns the
// extended slice, as append does. A capacity in into for the whole result's body
// saves an allocation, and tells the server how much room to give.
//
// Bodies are copied once on each way. A body has at most [MaxBody] bytes;
// [partywall.ErrTooLarge] tells how to raise a smaller quota.
func (m *Method[A, R]) CallBody(ctx context.Context, c *Conn, arg A, body, into []byte) (result R, extended []byte, err error) {
	extended, err = m.invoke(ctx, c, &arg, &result, &parcel{body: body, into: into, wantBody: true})
	return result, extended, err
}

// invoke does one call for Call and CallBody. Argument and result go by pointer from here on: each
// frame that held them would copy both.
func (m *Method[A, R]) invoke(ctx context.Context, c *Conn, arg *A, result *R, p *parcel) (into []byte, err error) {
	if len(c.interceptors) > 0 {
		return m.intercepted(ctx, c, arg, result, p)
	}
	return m.once(ctx, c, arg, result, p)
}

// once does one call, with what p has beside the argument.
func (m *Method[A, R]) once(ctx context.Context, c *Conn, arg *A, result *R, p *parcel) (into []byte, err error) {
	if p.argLen = m.arg.size; m.arg.fixed == nil {
		if p.data, err = encodeArg(&m.arg, arg); err != nil {
			return p.into, c.wrap(m.name, fmt.Errorf("the argument cannot be sent: %w", err))
		}
		p.argLen = len(p.data)
	}
	t, err := c.begin(ctx, &m.core)
	if err != nil {
		return p.into, err
	}
	request, err := t.place(ctx, p)
	if err != nil {
		return p.into, t.end(err)
	}
	if m.arg.fixed != nil {
		m.arg.fixed.Publish(t.slot.arg[:m.arg.size], fixed.Bytes(arg))
	}
	answer, err := t.exchange(ctx, request)
	if err == nil {
		err = t.check(&answer)
	}
	if err != nil {
		return p.into, t.end(err)
	}
	if m.result.fixed != nil && answer.status == statusDone && !p.wantBody {
		m.result.fixed.Receive(fixed.Bytes(result), t.slot.result[:m.result.size])
		return p.into, t.end(nil)
	}
	return m.unpack(ctx, &t, p, &request, &answer, result)
}

// unpack ends a call whose answer is more than a result of fixed layout. It is apart so that other calls need less of the stack.
func (m *Method[A, R]) unpack(ctx context.Context, t *transaction, p *parcel, request *requestFields, answer *responseFields, result *R) (into []byte, err error) {
	c := t.conn
	var data []byte // the result, if it has no fixed layout
	spilled := c.spillResult(answer.resultLen) != 0
	if m.result.fixed != nil {
		m.result.fixed.Receive(fixed.Bytes(result), t.slot.result[:m.result.size])
	} else if !spilled {
		data = bytes.Clone(t.slot.result[:answer.resultLen])
		if answer.status != statusKept {
			t.method.learn(answer.bodyLen) // a long result before this one was the exception
		}
	}
	into = p.into
	if p.wantBody || spilled || answer.status == statusKept {
		var behind []byte
		if behind, into, err = t.collect(ctx, p, request, answer); spilled {
			data = behind
		}
	}
	err = t.end(err)
	if err == nil && m.result.fixed == nil {
		if *result, err = decodeResult[R](&m.result, data); err != nil {
			err = c.wrap(m.name, fmt.Errorf("%w: the result cannot be read: %w", partywall.ErrLayout, err))
		}
	}
	return into, err
}

// These two are apart so that a fixed layout never escapes to the heap.

func encodeArg[A any](f *form, arg *A) ([]byte, error) { return f.marshal(*arg) }

func decodeResult[R any](f *form, data []byte) (R, error) {
	var result R
	err := f.unmarshal(data, &result)
	return result, err
}
