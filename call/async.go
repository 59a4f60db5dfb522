package call

import (
	"context"
	"iter"
)

// A Pending is a call that was begun with [Method.Go]. Its methods may be used
// concurrently.
type Pending[R any] struct {
	done   chan struct{}
	result R
	body   []byte
	err    error
}

// Go begins a call and returns at once. The call goes on until it ends, as
// [Method.Call] says; a context that ends is how to give it up. Nothing has to be
// done with what Go returns. The argument is not copied: what it points to must not
// change before the call is done.
func (m *Method[A, R]) Go(ctx context.Context, c *Conn, arg A) *Pending[R] {
	p := &Pending[R]{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.result, p.err = m.Call(ctx, c, arg)
	}()
	return p
}

// GoBody is Go with bodies, as [Method.CallBody] has them. The body must not change
// before the call is done; [Pending.Body] returns the result's.
func (m *Method[A, R]) GoBody(ctx context.Context, c *Conn, arg A, body, into []byte) *Pending[R] {
	p := &Pending[R]{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.result, p.body, p.err = m.CallBody(ctx, c, arg, body, into)
	}()
	return p
}

// Done returns a channel that is closed when the call has ended.
func (p *Pending[R]) Done() <-chan struct{} { return p.done }

// Wait waits until the call has ended and returns its result.
func (p *Pending[R]) Wait() (R, error) {
	<-p.done
	return p.result, p.err
}

// Body waits until the call has ended and returns the result's body, appended to
// the into of [Method.GoBody]; nil after [Method.Go].
func (p *Pending[R]) Body() []byte {
	<-p.done
	return p.body
}

// Completed yields the calls as they end, each with its index among the arguments. A
// loop may be left early; the calls go on.
func Completed[R any](calls ...*Pending[R]) iter.Seq2[int, *Pending[R]] {
	return func(yield func(int, *Pending[R]) bool) {
		ended := make(chan int, len(calls))
		for i, p := range calls {
			go func() {
				<-p.done
				ended <- i
			}()
		}
		for range calls {
			if i := <-ended; !yield(i, calls[i]) {
				return
			}
		}
	}
}
