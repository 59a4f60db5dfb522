package call

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/partywall/partywall/internal/fixed"
)

// In is what a handler is given. It is valid until the handler returns.
type In[A any] struct {
	// Arg is a private copy of the argument.
	Arg A

	body []byte
	peer Peer
}

// Body returns the request's body, empty if there is none. It is the client's
// memory, mapped here: it must not be kept beyond the handler, and a malicious
// client can change the bytes while they are read. Copy what is parsed.
func (in *In[A]) Body() []byte { return in.body }

// Peer returns who calls, by the kernel's word.
func (in *In[A]) Peer() Peer { return in.peer }

// Out is where a handler puts its answer. It is valid until the handler returns.
type Out[R any] struct {
	// Result is sent if the handler returns nil. It begins as zero.
	Result R

	task *task
}

// Body returns n bytes for the result's body, for the handler to fill; their
// content is not defined. They are memory that the client lent, unless it lent
// too little: then they are the server's, and reach the client by a copy. A
// second call replaces the first. The error wraps [partywall.ErrTooLarge] if n,
// with what the server keeps for the client's other calls just now, exceeds the
// client's quota; a handler that returns that error has the client get it.
func (out *Out[R]) Body(n int) ([]byte, error) { return out.task.resultBody(n) }

// Handle makes h the handler of the method in srv. It is called before
// [Server.Serve], once for each method of a service, and panics otherwise.
//
// h runs concurrently with itself. Its context ends with the caller's deadline,
// when the caller gives up, when the client dies or the server closes; it is over
// when h has returned, if the caller's context can end at all. An error
// or a panic of h reaches the caller as a [RemoteError].
func (m *Method[A, R]) Handle(srv *Server, h func(ctx context.Context, in *In[A], out *Out[R]) error) {
	type exchange struct {
		in  In[A]
		out Out[R]
	}
	pool := sync.Pool{New: func() any { return new(exchange) }}
	srv.handle(&m.core, func(ctx context.Context, t *task) error {
		x := pool.Get().(*exchange)
		if m.arg.fixed != nil {
			m.arg.fixed.Receive(fixed.Bytes(&x.in.Arg), t.arg)
		} else if err := m.arg.unmarshal(bytes.Clone(t.arg), &x.in.Arg); err != nil {
			return &layoutError{fmt.Sprintf("the service cannot read the argument: %v", err)}
		}
		x.in.body, x.in.peer = t.body, t.session.peer
		x.out.task = t
		err := h(ctx, &x.in, &x.out)
		if err == nil {
			if m.result.fixed != nil {
				t.resultLen = m.result.size
				m.result.fixed.Publish(t.result[:m.result.size], fixed.Bytes(&x.out.Result))
			} else {
				err = publishResult(t, &m.result, x.out.Result)
			}
		}
		*x = exchange{}
		pool.Put(x)
		return err
	})
}

// publishResult encodes a result that has no fixed layout.
func publishResult[R any](t *task, f *form, result R) error {
	data, err := f.marshal(result)
	if err != nil {
		return fmt.Errorf("the result cannot be sent: %w", err)
	}
	return t.setResult(data)
}
