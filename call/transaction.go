package call

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/wait"
)

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
		return transaction{}, c.wrap(m.name, err)
	}
	return transaction{c, s, r}, nil
}

// end gives the slot back and says what an error is about.
func (t *transaction) end(err error) error {
	if t.slot != nil {
		t.conn.freeSlot(t.slot)
	}
	return t.fault(err)
}

// fault says what an error is about.
func (t *transaction) fault(err error) error {
	if err == nil {
		return nil
	}
	if remote := (*RemoteError)(nil); errors.As(err, &remote) {
		return err
	}
	return t.conn.wrap(t.method.name, err)
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
	s.fetch = fields.flags&flagFetch != 0
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
	legal, limit := true, t.conn.resultRoom
	if fields.status == statusDone || fields.status == statusKept {
		limit = t.method.result.most()
		// A fetch brings no result.
		legal = t.slot.fetch || t.method.result.legal(fields.resultLen)
	}
	if checkLengths && (!legal || int64(fields.resultLen) > int64(limit)) {
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

// yields is how often a caller that is not alone lets other goroutines run and looks
// again before it parks: to park, to be found by the watcher and to be woken costs more
// than the others need for what they have to ask.
const yields = 2

// await waits for the answer: a caller that is alone spins if its method's past
// promises an answer soon, others let each other run for a moment; then they park, and the
// watcher looks for them. Only who is alone learns how long answers take: what others wait for is
// each other too. kept says whether the slot is still the caller's; if not, the
// caller has given up.
func (c *Conn) await(ctx context.Context, s *clientSlot, p *wait.Predictor, rang bool) (kept bool, err error) {
	if !c.alone(s) {
		if !rang {
			for range yields {
				at := c.turns.queue(s.rsp)
				runtime.Gosched()
				if next := c.turns.behind(at); next != nil {
					wait.FetchPairToRead(&next.seq) // and the result
				}
				if there, err := c.peek(s); there {
					wait.FetchToWrite(&s.req.seq)
					wait.FetchToWrite(s.argLine)
					return true, err
				}
			}
		}
		return c.park(ctx, s)
	}
	if p.Spin() {
		if there, err := c.spin(ctx, s, p); there {
			return true, err
		}
		return c.park(ctx, s)
	}
	start := wait.Now()
	if kept, err = c.park(ctx, s); kept {
		wakes := 1
		if rang {
			wakes = 2
		}
		p.Slept(wait.Now()-start, wakes)
	}
	return kept, err
}

// alone reports whether nobody else asks: the other callers, if there are any, are parked, and the watcher has
// waited for so long that it sleeps.
func (c *Conn) alone(s *clientSlot) bool {
	return c.free.only(s.index) || c.watch.asleep.Load() && c.free.onlyBeside(s.index, c.watch.parked)
}

// spin looks for the answer until it is there, or the spin has lasted long enough.
func (c *Conn) spin(ctx context.Context, s *clientSlot, p *wait.Predictor) (there bool, err error) {
	turn := wait.Turn{Place: &c.place}
	turn.Extend()
	defer turn.End()
	for {
		if there, err := c.peek(s); there {
			p.Hit(0)
			return true, err
		}
		if !turn.Next() {
			p.Miss()
			return false, nil
		}
		if n := turn.Turns(); n%32 == 0 && (c.end.Load() != nil || ctx.Err() != nil || !c.alone(s)) {
			return false, nil
		}
	}
}

// peek reports whether the slot is answered. A number that no honest server publishes ends the
// conn, and is an answer too.
func (c *Conn) peek(s *clientSlot) (there bool, err error) {
	switch s.rsp.seq.Load() {
	case s.seq:
		return true, nil
	case s.seq - 1:
		return false, nil
	}
	err = c.lie(s, s.seq)
	c.fail(err)
	return true, err
}

// check returns an answer that is no result as an error.
func (t *transaction) check(answer *responseFields) error {
	if answer.status == statusDone || answer.status == statusKept {
		return nil
	}
	return t.refusal(*answer)
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
	case statusLayout:
		return &refused{partywall.ErrLayout, text}
	case statusLate:
		return &refused{context.DeadlineExceeded, text}
	}
	return t.broke("status %d", fields.status)
}
