//go:build linux || windows

package call

import (
	"errors"
	"fmt"
	"sync"

	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/wait"
)

// A lyingServer is a server out of the real pieces, with one client, whose every
// word the scripts of the attacks choose. It belongs to one goroutine; another
// one answers the client's messages.
type lyingServer struct {
	*wire
	*control
	seen map[int]uint32 // each slot's last number
	bell uint32         // the last value of the doorbell word

	// What answers RESOLVE and LEND; honest ones unless a script replaces them.
	onResolve func(resolve) error
	onLend    func(lend) error

	rang      chan struct{}
	cancelled chan cancellation
	over      chan struct{} // closed when the victim has ended the conn

	mu   sync.Mutex
	lent map[uint32]*region.Region
}

// newLyingServer waits for the victim's HELLO.
func newLyingServer(name *taking) (*lyingServer, error) {
	w, err := name.accept()
	if err != nil {
		return nil, err
	}
	l := &lyingServer{
		wire: w,
		seen: map[int]uint32{},
		rang: make(chan struct{}, 1),
		over: make(chan struct{}),

		cancelled: make(chan cancellation, 1000), // more than a script waits for

		lent: map[uint32]*region.Region{},
	}
	l.onResolve = func(r resolve) error {
		return l.send(msgResolved, encode(resolved{ID: r.ID, Method: lieNumbers[r.Method], InPlace: r.InPlace}))
	}
	l.onLend = func(m lend) error { return l.send(msgLent, encode(lent{Region: m.Region})) }
	m, err := l.receive()
	if err == nil && m.kind != msgHello {
		err = fmt.Errorf("message %d instead of HELLO", m.kind)
	}
	return l, err
}

// honestly is the geometry of an honest server.
var honestly = welcome{Slots: maxSlots, ArgRoom: minRoom, ResultRoom: minRoom, Quota: DefaultQuota}

func (w welcome) size() int64 {
	return geometry{slots: int(w.Slots), argRoom: int(w.ArgRoom), resultRoom: int(w.ResultRoom)}.size()
}

// greet does the server's half of the handshake.
func (l *lyingServer) greet(w welcome) error {
	g := geometry{slots: int(w.Slots), argRoom: int(w.ArgRoom), resultRoom: int(w.ResultRoom)}
	f, err := l.memoryFor(g.size())
	if err != nil {
		return err
	}
	if err := l.send(msgWelcome, encode(w), f); err != nil {
		return err
	}
	r, err := region.Accept(f, g.size())
	if err != nil {
		return err
	}
	l.control = newControl(g, r)
	l.control.writeHeader()
	go l.read()
	return nil
}

func (l *lyingServer) read() {
	defer close(l.over)
	for {
		m, err := l.receive()
		if err == nil {
			err = l.handle(m)
		}
		if err != nil {
			return
		}
	}
}

func (l *lyingServer) handle(m note) error {
	select { // whatever it is: a ring may be part of a message
	case l.rang <- struct{}{}:
	default:
	}
	switch m.kind {
	case msgCancel:
		c, err := decode[cancellation](m.payload)
		if err != nil {
			return err
		}
		select {
		case l.cancelled <- c:
		default:
		}
	case msgResolve:
		r, err := decode[resolve](m.payload)
		if err != nil {
			return err
		}
		return l.onResolve(r)
	case msgLend:
		a, err := decode[lend](m.payload)
		if err != nil {
			return err
		}
		r, err := region.Accept(m.file, int64(a.Size))
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.lent[a.Region] = r
		l.mu.Unlock()
		return l.onLend(a)
	}
	return nil
}

// take waits for a request, as one who sleeps. After the conn's end it finds none: an answer
// that comes then could still be taken for one that came before.
func (l *lyingServer) take() (slot int, fields requestFields, err error) {
	for {
		select {
		case <-l.over:
			return 0, requestFields{}, errEnded
		default:
		}
		l.bell = (l.bell + 2) | 1
		wait.Announce(l.serverBell, l.bell)
		for i := range l.slots {
			s := l.slot(i)
			if n := s.req.seq.Load(); n != l.seen[i] {
				l.seen[i] = n
				return i, s.req.requestFields, nil
			}
		}
		select {
		case <-l.rang:
		case <-l.over:
			return 0, requestFields{}, errEnded
		}
	}
}

// publishAs publishes an answer under whatever number.
func (l *lyingServer) publishAs(slot int, seq uint32, fields responseFields) error {
	s := l.slot(slot)
	s.rsp.responseFields = fields
	s.rsp.seq.Store(seq)
	return l.send(msgRing, nil)
}

func (l *lyingServer) publish(slot int, fields responseFields) error {
	return l.publishAs(slot, l.seen[slot], fields)
}

// result works out the honest answer.
func (l *lyingServer) result(slot int, fields requestFields) responseFields {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answerHonestly(slot, fields)
}

// serve answers honestly until the victim ends the conn.
func (l *lyingServer) serve() error {
	for {
		slot, fields, err := l.take()
		if errors.Is(err, errEnded) {
			return nil
		}
		if err == nil {
			err = l.publish(slot, l.result(slot, fields))
		}
		if err != nil && !errors.Is(err, errEnded) {
			return err
		}
	}
}
