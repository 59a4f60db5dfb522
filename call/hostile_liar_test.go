//go:build linux || windows

package call

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/wait"
)

// A lyingClient is a client out of the real pieces, whose every word the scripts
// of the attacks choose. It belongs to one goroutine.
type lyingClient struct {
	*wire
	*control
	welcome welcome
	seq     map[int]uint32 // each slot's last number
	bell    uint32         // the last value of the doorbell word
	regions uint32         // the number of the region lent last
	lent1   *os.File       // the memory that lendHonest has lent first

	inbox chan note // what is not a ring
	rang  chan struct{}
	rings atomic.Int64
	over  chan struct{} // closed when the victim has ended the conn
}

func newLyingClient(service string) (*lyingClient, error) {
	w, err := dialWire(service)
	if err != nil {
		return nil, err
	}
	l := &lyingClient{
		wire:  w,
		seq:   map[int]uint32{},
		inbox: make(chan note, 1<<17),
		rang:  make(chan struct{}, 1),
		over:  make(chan struct{}),
	}
	if err := l.send(msgHello, encode(hello{Version: ProtocolVersion, Service: service})); err != nil {
		return nil, err
	}
	m, err := l.receive()
	if err != nil {
		return nil, err
	}
	if m.kind != msgWelcome || m.file == nil {
		return nil, fmt.Errorf("message %d instead of WELCOME", m.kind)
	}
	if l.welcome, err = decode[welcome](m.payload); err != nil {
		return nil, err
	}
	g := geometry{slots: int(l.welcome.Slots), argRoom: int(l.welcome.ArgRoom), resultRoom: int(l.welcome.ResultRoom)}
	r, err := region.Accept(m.file, g.size())
	if err != nil {
		return nil, err
	}
	l.control = newControl(g, r)
	go l.read()
	return l, nil
}

func (l *lyingClient) read() {
	for {
		m, err := l.wire.receive()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return // the script reads no more
		case err != nil:
			close(l.over)
			return
		case m.kind != msgRing:
			l.inbox <- m
		default:
			l.rings.Add(1)
		}
		// Whoever gets a message looks, too: a ring may be part of it.
		select {
		case l.rang <- struct{}{}:
		default:
		}
	}
}

// next returns the next message that is not a ring.
func (l *lyingClient) next() (note, error) {
	select {
	case m := <-l.inbox:
		return m, nil
	case <-l.over:
		return note{}, errEnded
	}
}

// point makes slot i's pending bit differ from what the server has seen, where
// the server's lowest bit is that of seen.
func (l *lyingClient) point(i int, seen uint32) {
	if word, bit := l.pending[i/64], uint64(1)<<(i%64); seen&1 == 0 {
		word.Or(bit)
	} else {
		word.And(^bit)
	}
}

// publishAs publishes fields in slot i under whatever number.
func (l *lyingClient) publishAs(i int, seq uint32, fields requestFields) error {
	s, seen := l.slot(i), l.seq[i]
	s.req.requestFields = fields
	s.req.seq.Store(seq)
	l.seq[i] = seq
	l.point(i, seen)
	return l.ring()
}

func (l *lyingClient) publish(i int, fields requestFields) error {
	return l.publishAs(i, l.seq[i]+1, fields)
}

// await waits for the answer in slot i, as one who sleeps: PROTOCOL.md, "Doorbells".
func (l *lyingClient) await(i int) (responseFields, error) {
	s := l.slot(i)
	for {
		l.bell = (l.bell + 2) | 1
		l.clientBell.Store(l.bell)
		wait.Announce(&s.req.waits, l.seq[i])
		if s.rsp.seq.Load() == l.seq[i] {
			return s.rsp.responseFields, nil
		}
		select {
		case <-l.rang:
		case <-l.over:
			return responseFields{}, errEnded
		}
	}
}

// ask publishes and waits.
func (l *lyingClient) ask(i int, fields requestFields) (responseFields, error) {
	if err := l.publish(i, fields); err != nil {
		return responseFields{}, err
	}
	return l.await(i)
}

// argument puts an argument into slot i.
func (l *lyingClient) argument(i int, a, b int64) {
	arg := liePair{a, b}
	copy(l.slot(i).arg, fixed.Bytes(&arg))
}

// ordinary are the fields of an honest request.
func ordinary(method uint32) requestFields {
	return requestFields{method: method, argLen: uint32(lieAdd.arg.size)}
}

// probeSlot is where probe asks.
const probeSlot = 63

// probe asks twice. When the second answer is there, the server has looked at
// every slot since: it looks first where its last request was, which may be here,
// and then at all others.
func (l *lyingClient) probe() error {
	if err := l.probeOnce(); err != nil {
		return err
	}
	return l.probeOnce()
}

// probeOnce asks an honest question and checks the answer.
func (l *lyingClient) probeOnce() error {
	a, b := rand.Int64(), rand.Int64()
	l.argument(probeSlot, a, b)
	fields, err := l.ask(probeSlot, ordinary(addNumber))
	if err != nil {
		return err
	}
	var got lieSum
	copy(fixed.Bytes(&got), l.slot(probeSlot).result)
	if fields.status != statusDone || got.S != a+b {
		return fmt.Errorf("the probe's answer has status %d and is %d, not %d", fields.status, got.S, a+b)
	}
	return nil
}

// question asks for a method and waits for the answer, of which the server's
// reader has then seen everything that was sent before.
func (l *lyingClient) question(method string) (resolved, error) {
	ask := resolve{ID: 1, Method: method, Arg: lieAdd.arg.schema, Result: lieAdd.result.schema}
	if err := l.send(msgResolve, encode(ask)); err != nil {
		return resolved{}, err
	}
	m, err := l.next()
	if err != nil {
		return resolved{}, err
	}
	if m.kind != msgResolved {
		return resolved{}, fmt.Errorf("message %d instead of RESOLVED", m.kind)
	}
	return decode[resolved](m.payload)
}

// lend lends a descriptor under the next number.
func (l *lyingClient) lend(size uint64, files ...*os.File) (lent, error) {
	l.regions++
	return l.lendAs(l.regions, size, files...)
}

func (l *lyingClient) lendAs(number uint32, size uint64, files ...*os.File) (lent, error) {
	if err := l.send(msgLend, encode(lend{Region: number, Size: size}), files...); err != nil {
		return lent{}, err
	}
	m, err := l.next()
	if err != nil {
		return lent{}, err
	}
	if m.kind != msgLent {
		return lent{}, fmt.Errorf("message %d instead of LENT", m.kind)
	}
	return decode[lent](m.payload)
}

// check finds out whether the victim has gone on: its reader, then its worker.
func (l *lyingClient) check() error {
	if _, err := l.question("lie.add"); err != nil {
		return err
	}
	return l.probe()
}

// lendHonest lends good memory of that size and returns its descriptor.
func (l *lyingClient) lendHonest(size int64) (*os.File, error) {
	f, err := lendable(size)
	if err != nil {
		return nil, err
	}
	answer, err := l.lend(uint64(size), f)
	if err == nil && answer.Refuse.Code != 0 {
		err = errors.New("an honest loan is refused: " + answer.Refuse.Text)
	}
	if l.lent1 == nil {
		l.lent1 = f
	}
	return f, err
}

// lendRefused lends a descriptor that the server must not take, though the conn
// goes on.
func (l *lyingClient) lendRefused(size uint64, f *os.File) error {
	answer, err := l.lend(size, f)
	if err == nil && answer.Refuse.Code == 0 {
		err = errors.New("the server has taken it")
	}
	return err
}

// lendAndUse lends a descriptor and, if the server takes it, has it read all of it
// and write behind it.
func (l *lyingClient) lendAndUse(size uint64, files ...*os.File) error {
	answer, err := l.lend(size, files...)
	if err != nil || answer.Refuse.Code != 0 {
		return err
	}
	fields := ordinary(addNumber)
	fields.region, fields.bodyLen = l.regions, size
	_, err = l.ask(0, fields)
	return err
}

// busy begins a call in slot 0 whose handler does not return, and sees to it that
// the handler runs.
func (l *lyingClient) busy(fields requestFields) error {
	fields.method, fields.argLen = holdNumber, uint32(lieHold.arg.size)
	if err := l.publish(0, fields); err != nil {
		return err
	}
	return l.probe()
}
