package call

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

// A Method is one operation of a service: its name, and the types of its
// argument and its result. Make one with [NewMethod] as a package variable that
// client and server share. It is immutable and may be used concurrently.
type Method[A, R any] struct{ core }

// core is what a method is without its types.
type core struct {
	name   string
	index  int // among the methods of this process, for a conn's table
	arg    *fixed.Type
	result *fixed.Type
}

var methods atomic.Int32

// AnyMethod is any [Method], whatever its types.
type AnyMethod interface{ method() *core }

func (c *core) method() *core { return c }

// Name returns the method's name.
func (c *core) Name() string { return c.name }

// NewMethod returns the method of that name. Argument and result must have a fixed
// layout: numbers of a stated size, bools, arrays and structs of those, of at most
// 65,536 bytes each. It panics if they have not, or if the name breaks the rule of
// [partywall.CheckName].
func NewMethod[A, R any](name string) *Method[A, R] {
	if err := partywall.CheckName(name); err != nil {
		panic("call.NewMethod: " + err.Error())
	}
	return &Method[A, R]{core{
		name:   name,
		index:  int(methods.Add(1)) - 1,
		arg:    fixedType[A](name, "argument"),
		result: fixedType[R](name, "result"),
	}}
}

// maxSchema bounds an encoded schema in bytes: two of them go into one message.
const maxSchema = 500 << 10

func fixedType[T any](method, role string) *fixed.Type {
	t, err := fixed.Of[T]()
	if err != nil {
		panic(fmt.Sprintf("call.NewMethod %q: %s: %v", method, role, err))
	}
	if t.Size() > maxRoom {
		panic(fmt.Sprintf("call.NewMethod %q: %s %v has %d bytes, at most %d are allowed: move its bulk to the body", method, role, t, t.Size(), maxRoom))
	}
	if n := len(schemaOf(t)); n > maxSchema {
		panic(fmt.Sprintf("call.NewMethod %q: %s %v has a schema of %d bytes, at most %d are allowed: use fewer fields", method, role, t, n, maxSchema))
	}
	return t
}

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
		m.arg.Receive(fixed.Bytes(&x.in.Arg), t.arg[:m.arg.Size()])
		x.in.body, x.in.peer = t.body, t.session.peer
		x.out.task = t
		err := h(ctx, &x.in, &x.out)
		if err == nil {
			m.result.Publish(t.result[:m.result.Size()], fixed.Bytes(&x.out.Result))
		}
		*x = exchange{}
		pool.Put(x)
		return err
	})
}
