package call

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/partywall/partywall"
)

// serverSlot is what the server knows of a slot, in its own memory.
type serverSlot struct {
	slotView
	index int
	seen  uint32        // the last request taken; the worker's
	letGo atomic.Uint32 // the last request answered

	// These belong to whoever runs the slot's request, until it is let go.
	number uint32 // the request's
	fields requestFields
	task   task
	kept   []byte // a result's body that waits to be fetched

	ctx     atomic.Pointer[callContext] // of the call that runs, if its caller may give up
	running atomic.Uint32               // its number, stored before ctx
	given   atomic.Uint64               // the last request that was given up, with givenUp
}

// givenUp marks serverSlot.given as set, since 0 is a request's number too.
const givenUp = 1 << 32

// slot returns slot i, making it at first use: by the worker, or by the reader.
func (x *session) slot(i int) *serverSlot {
	if s := x.slots[i].Load(); s != nil {
		return s
	}
	s := &serverSlot{slotView: x.control.slot(i), index: i}
	s.task = task{session: x, result: s.result}
	x.slots[i].CompareAndSwap(nil, s)
	return x.slots[i].Load()
}

// giveUp ends the context of request n, which may run, be over, or not be taken
// yet: then the runner finds it in given.
func (s *serverSlot) giveUp(n uint32) {
	// A CANCEL that had to wait for the socket may come late, and after a newer one.
	if n != s.letGo.Load()+1 {
		return
	}
	s.given.Store(uint64(n) | givenUp)
	// In this order: a context of a later request comes with a later number.
	if c := s.ctx.Load(); c != nil && s.running.Load() == n {
		c.end(context.Canceled)
	}
}

// broke says how the client broke the protocol.
func (s *serverSlot) broke(format string, args ...any) error {
	return fmt.Errorf("%w: slot %d: %s", partywall.ErrProtocol, s.index, fmt.Sprintf(format, args...))
}

// task is what a handler's run works on.
type task struct {
	session *session
	arg     []byte // in shared memory
	meta    []byte // in shared memory: the metadata
	result  []byte // in shared memory
	body    []byte // in shared memory
	room    []byte // in shared memory: for the result's body, and a result too long for the slot

	region    *lentRegion
	out       int    // bytes of the result's body
	resultLen int    // bytes of the result
	keep      []byte // the same as in room, if that is too small
}

// resultBody is [Out.Body].
func (t *task) resultBody(n int) ([]byte, error) {
	if n < 0 {
		panic(fmt.Sprintf("call: a result's body of %d bytes", n))
	}
	t.unkeep()
	if n <= len(t.room) {
		t.out = n
		return t.room[:n:n], nil
	}
	if n > MaxBody {
		return nil, &quotaError{fmt.Sprintf("a result's body of %d bytes; the limit is %d", n, MaxBody)}
	}
	keep, err := t.reserve(n)
	if err != nil {
		return nil, err
	}
	t.out, t.keep = n, keep
	return t.keep, nil
}

// reserve makes n bytes that count against the client's quota until unkeep.
func (t *task) reserve(n int) ([]byte, error) {
	x := t.session
	quota := x.server.config.quota
	if kept := x.kept.Add(int64(n)) - int64(n); kept+int64(n) > quota {
		x.kept.Add(-int64(n))
		return nil, &quotaError{fmt.Sprintf("a result of %d bytes, with %d kept for other calls, exceeds this client's quota of %d; raise it with call.Quota where the service listens", n, kept, quota)}
	}
	return make([]byte, n), nil
}

// setResult takes a result that has no fixed layout. One that is too long for the
// slot lies behind the result's body.
func (t *task) setResult(data []byte) error {
	t.resultLen = len(data)
	if len(data) <= len(t.result) {
		copy(t.result, data)
		return nil
	}
	body := t.keep
	if body == nil {
		body = t.room[:t.out]
	}
	at := int(bodyOffset(uint64(t.out)))
	need := at + len(data)
	if t.keep == nil && need <= len(t.room) {
		copy(t.room[at:], data)
		return nil
	}
	out := t.out
	t.unkeep() // body is still there
	keep, err := t.reserve(need)
	if err != nil {
		return err
	}
	copy(keep, body)
	copy(keep[at:], data)
	t.out, t.keep = out, keep
	return nil
}

// unkeep forgets the body of the result.
func (t *task) unkeep() {
	if t.keep != nil {
		t.session.kept.Add(-int64(len(t.keep)))
		t.keep = nil
	}
	t.out = 0
}

// quotaError reaches the caller as ErrTooLarge.
type quotaError struct{ text string }

func (e *quotaError) Error() string { return e.text }
func (e *quotaError) Unwrap() error { return partywall.ErrTooLarge }

// layoutError reaches the caller as ErrLayout.
type layoutError struct{ text string }

func (e *layoutError) Error() string { return e.text }
func (e *layoutError) Unwrap() error { return partywall.ErrLayout }
