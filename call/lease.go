package call

import (
	"context"
	"fmt"
	"os"

	"github.com/partywall/partywall"
)

// A Lease is a hold on shared memory for calls of one [InPlace] method. It is valid
// until the function that was given it returns; nothing of it is unmapped, or used for
// another call, before. It is for one goroutine at a time.
type Lease[A, R any] struct {
	// Arg is the argument of the next call. It begins as zero, and keeps its value
	// from call to call.
	Arg *A

	// Result is the result of the last call, once Do has returned nil. Its bytes are
	// not defined before, and after an error.
	Result *R

	// Body is memory that the handler may read and write. Its content is not defined
	// at first. It may be shortened, to lend less of it; it always begins where it
	// did.
	Body []byte

	conn  *Conn
	core  *core
	t     transaction
	whole []byte // the region lent, or nil
}

// Lease has f call the method in memory that both processes share, with size bytes
// of body, at most [MaxBody]. It returns f's error, or why there was no memory: as
// [Method.CallBody] does.
//
// A lease uses one of the conn's 1,024 slots for as long as it runs, and room for its
// body in the client's quota, with 4 KiB for the metadata of the conn's interceptors
// if the quota has them; [Conn.Close] waits for it. A conn's warm memory is
// reused, so that a lease of a size that was used before makes no system call.
func (m *InPlace[A, R]) Lease(ctx context.Context, c *Conn, size int, f func(l *Lease[A, R]) error) error {
	if size < 0 {
		panic(fmt.Sprintf("call: a lease of %d bytes", size))
	}
	if size > MaxBody {
		return c.wrap(m.name, fmt.Errorf("%w: a body of %d bytes; the limit is %d", partywall.ErrTooLarge, size, MaxBody))
	}
	if err := ctx.Err(); err != nil {
		return c.wrap(m.name, err)
	}
	t, err := c.begin(ctx, &m.core)
	if err != nil {
		return err
	}
	l := &Lease[A, R]{conn: c, core: &m.core, t: t}
	if err := l.lend(ctx, size); err != nil {
		return t.end(err)
	}
	t.slot.leased = true
	defer l.end()
	clear(t.slot.arg[:m.arg.size])
	l.Arg, l.Result = view[A](t.slot.arg, &m.arg), view[R](t.slot.result, &m.result)
	return f(l)
}

// lend lends size bytes, and room for metadata if the slot has none. The largest body
// that the quota has room for leaves none either: that is do's concern, since most
// metadata fits into the slot.
func (l *Lease[A, R]) lend(ctx context.Context, size int) error {
	need := uint64(size)
	if len(l.conn.interceptors) > 0 {
		_, meta := l.conn.spill(uint32(l.core.arg.size), maxMeta)
		if all := bulk(need, meta); all <= uint64(l.conn.quota) {
			need = all
		}
	}
	if need == 0 {
		return nil
	}
	if err := l.t.lend(ctx, need, 0, 0); err != nil {
		return err
	}
	l.whole = l.t.slot.region.bytes()
	l.Body = l.whole[:size:size]
	return nil
}

// Do calls the method: the handler finds Arg and Body as they lie there, and
// Result is its answer. The errors are those of [Method.Call].
//
// If the context ends first, the handler may go on to read and write the body for a
// while. The next Do then waits for it.
func (l *Lease[A, R]) Do(ctx context.Context) error {
	if l.t.slot == nil {
		return l.conn.wrap(l.core.name, fmt.Errorf("the lease has ended: %w", os.ErrClosed))
	}
	if len(l.Body) > 0 && (len(l.whole) == 0 || &l.Body[0] != &l.whole[0]) {
		panic("call: the Body of a Lease of " + l.core.name + " was moved; it can only be shortened")
	}
	if len(l.conn.interceptors) > 0 {
		return l.conn.intercept(ctx, l.core.name, l.do)
	}
	return l.do(ctx, nil)
}

func (l *Lease[A, R]) do(ctx context.Context, meta []byte) error {
	t, s := &l.t, l.t.slot
	if l.flying() {
		if _, err := l.conn.await(ctx, s, &t.method.predictor, false); err != nil {
			return l.conn.wrap(l.core.name, err)
		}
	}
	fields := requestFields{
		argLen:  uint32(l.core.arg.size),
		metaLen: uint32(len(meta)),
		bodyLen: uint64(len(l.Body)),
	}
	if s.region != nil {
		fields.region = s.region.number
	}
	if _, spilled := l.conn.spill(fields.argLen, fields.metaLen); spilled > 0 {
		at := bodyOffset(fields.bodyLen)
		if at+spilled > uint64(len(l.whole)) {
			return l.conn.wrap(l.core.name, fmt.Errorf("%w: metadata of %d bytes beside a body of %d, where %d were lent: shorten the body, or raise this client's quota of %d with call.Quota where the service listens",
				partywall.ErrTooLarge, spilled, fields.bodyLen, len(l.whole), l.conn.quota))
		}
		copy(l.whole[at:], meta)
	} else {
		copy(s.arg[fields.argLen:], meta)
	}
	answer, err := t.exchange(ctx, fields)
	if err == nil {
		err = t.check(&answer)
	}
	if err == nil && answer.status == statusKept {
		err = t.broke("a result is kept for a call in place")
	}
	return t.fault(err)
}

// flying reports whether the last call has not been answered, its caller having
// given up.
func (l *Lease[A, R]) flying() bool { return l.t.slot.rsp.seq.Load() != l.t.slot.seq }

// end gives the slot and the region back, or has the watcher do so when the server
// has let go of them.
func (l *Lease[A, R]) end() {
	s := l.t.slot
	flying := l.flying()
	l.t.slot, l.Arg, l.Result, l.Body, l.whole = nil, nil, nil, nil, nil
	s.leased = false
	if flying {
		l.conn.abandon(s)
	} else {
		l.conn.freeSlot(s)
	}
}
