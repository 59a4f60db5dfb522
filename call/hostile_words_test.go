//go:build linux || windows

package call

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/partywall/partywall/internal/wait"
)

// with is an honest request for lie.add, changed.
func with(change func(*requestFields)) func(*lyingClient) error {
	return func(l *lyingClient) error {
		fields := ordinary(addNumber)
		change(&fields)
		_, err := l.ask(0, fields)
		return err
	}
}

// requestLies are lies in the words of a control region.
var requestLies = []clientLie{
	// The honest script has to be served, or the others prove nothing.
	{name: "no-lie", want: served, lie: with(func(*requestFields) {})},

	{name: "seq-jumps-by-two", lie: func(l *lyingClient) error {
		return l.publishAs(0, 2, ordinary(addNumber))
	}},
	{name: "seq-jumps-far", lie: func(l *lyingClient) error {
		return l.publishAs(0, 1<<31, ordinary(addNumber))
	}},
	{name: "seq-goes-back", lie: func(l *lyingClient) error {
		if _, err := l.ask(0, ordinary(addNumber)); err != nil {
			return err
		}
		return l.publishAs(0, 0, ordinary(addNumber))
	}},
	{name: "seq-goes-below-zero", lie: func(l *lyingClient) error {
		return l.publishAs(0, math.MaxUint32, ordinary(addNumber))
	}},
	{name: "seq-grows-while-taken", lie: func(l *lyingClient) error {
		if err := l.busy(requestFields{}); err != nil {
			return err
		}
		return l.publish(0, ordinary(addNumber))
	}},
	{name: "seq-goes-back-while-taken", lie: func(l *lyingClient) error {
		if err := l.busy(requestFields{}); err != nil {
			return err
		}
		return l.publishAs(0, 0, ordinary(addNumber))
	}},
	// What is between take and answer is the server's to read, and it has read it.
	{name: "request-changes-while-taken", want: served, lie: func(l *lyingClient) error {
		if err := l.busy(requestFields{flags: flagCancellable}); err != nil {
			return err
		}
		l.slot(0).req.requestFields = requestFields{
			method: math.MaxUint32, flags: math.MaxUint32, argLen: math.MaxUint32,
			region: math.MaxUint32, deadline: math.MinInt64, bodyLen: math.MaxUint64, metaLen: math.MaxUint32,
		}
		l.argument(0, -1, -1)
		if err := l.send(msgCancel, encode(cancellation{Slot: 0, Seq: l.seq[0]})); err != nil {
			return err
		}
		fields, err := l.await(0)
		if err == nil && fields.status != statusError {
			err = fmt.Errorf("the cancelled call has status %d", fields.status)
		}
		return err
	}},

	{name: "method-zero", lie: with(func(f *requestFields) { f.method = 0 })},
	{name: "method-one-too-many", lie: with(func(f *requestFields) { f.method = lastNumber + 1 })},
	{name: "method-huge", lie: with(func(f *requestFields) { f.method = math.MaxUint32 })},
	{name: "flags-one-unknown", lie: with(func(f *requestFields) { f.flags = flagFetch << 1 })},
	{name: "flags-all", lie: with(func(f *requestFields) { f.flags = math.MaxUint32 })},
	{name: "arglen-zero", lie: with(func(f *requestFields) { f.argLen = 0 })},
	{name: "arglen-one-more", lie: with(func(f *requestFields) { f.argLen++ })},
	{name: "arglen-huge", lie: with(func(f *requestFields) { f.argLen = math.MaxUint32 })},

	// Any deadline is legal, and nobody else's.
	{name: "deadlines", want: served, lie: func(l *lyingClient) error {
		for _, d := range []int64{0, 1, -1, math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 - 1} {
			fields := ordinary(addNumber)
			fields.flags, fields.deadline = flagCancellable|flagDeadline, d
			if _, err := l.ask(0, fields); err != nil {
				return err
			}
		}
		for _, d := range []int64{1, -1, wait.ToClock(time.Now())} {
			fields := ordinary(holdNumber)
			fields.flags, fields.deadline = flagCancellable|flagDeadline, d
			if _, err := l.ask(0, fields); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "deadline-not-cancellable", want: served, lie: with(func(f *requestFields) {
		f.flags, f.deadline = flagDeadline, math.MinInt64
	})},

	// The pending bits say only where to look.
	{name: "pending-all-set", want: served, lie: func(l *lyingClient) error {
		for _, word := range l.pending {
			word.Store(math.MaxUint64)
		}
		return l.check()
	}},
	{name: "pending-toggles", want: served, lie: func(l *lyingClient) error {
		for range 20 {
			for range 500 {
				for _, word := range l.pending {
					word.Store(rand.Uint64())
				}
			}
			if err := l.check(); err != nil {
				return err
			}
		}
		return nil
	}},

	// Each odd value of the doorbell word may be rung for once, an even one never.
	{name: "doorbell-odd", want: served, lie: func(l *lyingClient) error {
		const asked = 1000 / ease
		before := l.rings.Load()
		for range asked {
			l.bell = rand.Uint32()
			if _, err := l.ask(0, ordinary(addNumber)); err != nil {
				return err
			}
		}
		// await looks again, under another value, for each ring that it gets.
		if rings := l.rings.Load() - before; rings > 2*asked {
			return fmt.Errorf("%d rings for at most %d values", rings, 2*asked)
		}
		return nil
	}},
	{name: "doorbell-even", want: served, lie: neverRung(func(l *lyingClient, next uint32) {
		l.clientBell.Store(rand.Uint32() &^ 1)
		l.slot(0).req.waits.Store(next)
	})},
	// Who sleeps is rung for only if somebody is parked for this very answer.
	{name: "waits-for-another", want: served, lie: neverRung(func(l *lyingClient, next uint32) {
		l.clientBell.Store(rand.Uint32() | 1)
		l.slot(0).req.waits.Store(next + 1 + rand.Uint32N(math.MaxUint32))
		l.slot(1).req.waits.Store(next)
	})},
	// What else lies in the first page is a hint, the other side's, or nobody's.
	{name: "first-page", want: served, lie: func(l *lyingClient) error {
		for range 200 {
			l.scribbleFirstPage(func(at int) bool {
				return at == clientBellOffset || at >= pendingOffset && at < pendingOffset+len(l.pending)*8
			})
			if err := l.ring(); err != nil {
				return err
			}
			if err := l.check(); err != nil {
				return err
			}
		}
		return nil
	}},
	// The server's own words are never read back.
	{name: "servers-words", want: served, lie: func(l *lyingClient) error {
		for i := range uint32(200) {
			l.serverBell.Store(i * 0x01010101)
			for s := range 3 {
				l.slot(s).rsp.seq.Store(i * 3)
				l.slot(s).rsp.responseFields = responseFields{i, i, math.MaxUint64}
			}
			if _, err := l.question("lie.add"); err != nil {
				return err
			}
			if err := l.ring(); err != nil {
				return err
			}
			if err := l.probe(); err != nil {
				return err
			}
		}
		return nil
	}},
}

// neverRung asks again and again, each time after say has set the words that ask for a ring or
// not; next is the number of the request that comes. There must be no ring.
func neverRung(say func(l *lyingClient, next uint32)) func(*lyingClient) error {
	return func(l *lyingClient) error {
		for i := range 1000 / ease {
			say(l, l.seq[0]+1)
			if err := l.publish(0, ordinary(addNumber)); err != nil {
				return err
			}
			for l.slot(0).rsp.seq.Load() != l.seq[0] {
				if _, err := l.question("lie.add"); err != nil {
					return err
				}
			}
			if rings := l.rings.Load(); rings != 0 {
				return fmt.Errorf("%d rings after %d calls that ask for none", rings, i+1)
			}
		}
		return nil
	}
}

// scribbleFirstPage fills the page before the slots with random words, but for
// those that a script keeps.
func (c *control) scribbleFirstPage(keep func(at int) bool) {
	mem := c.region.Bytes()
	for at := 0; at < slotsOffset; at += 4 {
		if !keep(at) {
			binary.LittleEndian.PutUint32(mem[at:], rand.Uint32())
		}
	}
}

// fetch is a request for what was kept for slot 0.
func fetch(region uint32) requestFields { return requestFields{flags: flagFetch, region: region} }

// keep has the server keep n bytes for slot 0.
func (l *lyingClient) keep(n int64) error {
	l.argument(0, n, 0)
	fields, err := l.ask(0, ordinary(keepNumber))
	if err == nil && (fields.status != statusKept || fields.bodyLen != uint64(n)) {
		err = fmt.Errorf("status %d with %d bytes, want %d bytes to be kept", fields.status, fields.bodyLen, n)
	}
	return err
}

const page64K = 64 << 10

// inRegion lends 64 KiB and then publishes an honest request there, changed.
func inRegion(change func(*requestFields)) func(*lyingClient) error {
	return func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		return with(func(f *requestFields) {
			f.region, f.bodyLen = 1, page64K
			change(f)
		})(l)
	}
}

// bodyLies are lies about bodies that are lent honestly, and about what is kept.
var bodyLies = []clientLie{
	{name: "body-no-lie", want: served, lie: inRegion(func(*requestFields) {})},
	{name: "body-one-too-long", lie: inRegion(func(f *requestFields) { f.bodyLen = page64K + 1 })},
	{name: "body-huge", lie: inRegion(func(f *requestFields) { f.bodyLen = math.MaxUint64 })},
	{name: "body-rounds-to-zero", lie: inRegion(func(f *requestFields) { f.bodyLen = math.MaxUint64 - 62 })},
	{name: "body-in-no-region", lie: inRegion(func(f *requestFields) { f.region = 0 })},
	{name: "region-never-lent", lie: inRegion(func(f *requestFields) { f.region = 2 })},
	{name: "region-huge", lie: inRegion(func(f *requestFields) { f.region = math.MaxUint32 })},
	{name: "region-taken-back", lie: func(l *lyingClient) error {
		if err := inRegion(func(*requestFields) {})(l); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		if _, err := l.question("lie.add"); err != nil {
			return err
		}
		return with(func(f *requestFields) { f.region, f.bodyLen = 1, 1 })(l)
	}},
	// The server keeps its mapping until the handler has returned.
	{name: "region-taken-back-in-use", want: served, lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		if err := l.busy(requestFields{flags: flagCancellable, region: 1, bodyLen: page64K}); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		if err := l.check(); err != nil {
			return err
		}
		if err := l.send(msgCancel, encode(cancellation{Slot: 0, Seq: l.seq[0]})); err != nil {
			return err
		}
		_, err := l.await(0)
		return err
	}},
	// A body is bytes. That they change under a reader harms nobody else.
	{name: "body-changes", want: served, lie: func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		for i := range 200 {
			fields := ordinary(addNumber)
			fields.region, fields.bodyLen = 1, page64K/2
			if err := l.publish(0, fields); err != nil {
				return err
			}
			if _, err := f.WriteAt([]byte{byte(i)}, int64(rand.IntN(page64K))); err != nil {
				return err
			}
			if _, err := l.await(0); err != nil {
				return err
			}
		}
		return nil
	}},

	{name: "fetch-nothing-kept", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		_, err := l.ask(0, fetch(1))
		return err
	}},
	// Without a region, a fetch drops what is kept, if anything is.
	{name: "fetch-drops-nothing", want: served, lie: func(l *lyingClient) error {
		_, err := l.ask(0, fetch(0))
		return err
	}},
	{name: "fetch-into-too-little", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		if err := l.keep(page64K + 1); err != nil {
			return err
		}
		_, err := l.ask(0, fetch(1))
		return err
	}},
	{name: "fetch-twice", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		if err := l.keep(page64K); err != nil {
			return err
		}
		fields, err := l.ask(0, fetch(1))
		if err != nil || fields.status != statusDone || fields.bodyLen != page64K {
			return fmt.Errorf("the first fetch: %+v, %w", fields, err)
		}
		_, err = l.ask(0, fetch(1))
		return err
	}},
	{name: "fetch-from-another-slot", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		if err := l.keep(page64K); err != nil {
			return err
		}
		_, err := l.ask(1, fetch(1))
		return err
	}},
	// What is kept counts against the quota until it is fetched or dropped.
	{name: "keep-without-end", want: served, lie: func(l *lyingClient) error {
		const each = 16 << 20
		var kept int
		for i := range 60 {
			l.argument(i, each, 0)
			fields, err := l.ask(i, ordinary(keepNumber))
			if err != nil {
				return err
			}
			if fields.status == statusKept {
				kept++
			}
		}
		if most := int(l.welcome.Quota / each); kept != most {
			return fmt.Errorf("%d times %d bytes are kept, the quota allows %d times", kept, each, most)
		}
		return nil
	}},
}
