//go:build linux || windows

package call_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// A question says how it is to be answered, so that an answer can be checked
// against nothing else.
type question struct {
	ID    uint64 // used once
	Body  uint64 // bytes that write makes from ID
	Reply uint64 // bytes wanted as the result's body, that write makes from ^ID
	Pause uint64 // microseconds that the handler takes, unless its context ends
}

type reply struct {
	ID    uint64
	Mixed uint64
}

var (
	askM   = call.NewMethod[question, reply]("ask")   // short enough to run in the worker
	pauseM = call.NewMethod[question, reply]("pause") // on a goroutine of its own, once its times are known
)

func mix(id uint64) uint64 {
	id ^= id >> 31
	id *= 0x9e3779b97f4a7c15
	return id ^ id>>29
}

func write(b []byte, id uint64) {
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, id)
		id += 0x9e3779b97f4a7c15
	}
	for i := range b {
		b[i] = byte(id >> (8 * i))
	}
}

// checkWritten reports where b is not what write makes from id.
func checkWritten(what string, b []byte, id, n uint64) error {
	if uint64(len(b)) != n {
		return fmt.Errorf("%s of question %#x has %d bytes, not %d", what, id, len(b), n)
	}
	var want [8]byte
	for at := 0; at < len(b); at += 8 {
		m := min(8, len(b)-at)
		write(want[:m], id)
		if string(b[at:at+m]) != string(want[:m]) {
			return fmt.Errorf("%s of question %#x is wrong at byte %d of %d: % x, not % x", what, id, at, n, b[at:at+m], want[:m])
		}
		id += 0x9e3779b97f4a7c15
	}
	return nil
}

// A ledger is what a server knows of the questions it was asked: it calls wrong
// when one comes a second time, or garbled.
type ledger struct {
	wrong func(error)

	mu   sync.Mutex
	seen map[uint64]struct{}
}

func (l *ledger) enter(id uint64) {
	l.mu.Lock()
	_, twice := l.seen[id]
	l.seen[id] = struct{}{}
	l.mu.Unlock()
	if twice {
		l.wrong(fmt.Errorf("question %#x ran twice", id))
	}
}

func (l *ledger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = map[uint64]struct{}{}
}

// answer is the handler of both methods.
func (l *ledger) answer(ctx context.Context, in *call.In[question], out *call.Out[reply]) error {
	q := in.Arg
	l.enter(q.ID)
	if err := checkWritten("the body", in.Body(), q.ID, q.Body); err != nil {
		l.wrong(err)
	}
	if q.Pause > 0 {
		wake := time.NewTimer(time.Duration(q.Pause) * time.Microsecond)
		defer wake.Stop()
		select {
		case <-wake.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if q.Reply > 0 {
		b, err := out.Body(int(q.Reply))
		if err != nil {
			l.wrong(err)
			return err
		}
		write(b, ^q.ID)
	}
	out.Result = reply{ID: q.ID, Mixed: mix(q.ID)}
	return nil
}

func (l *ledger) handle(srv *call.Server) {
	askM.Handle(srv, l.answer)
	pauseM.Handle(srv, l.answer)
}

// An asker is one goroutine's stream of questions.
type asker struct {
	conn *call.Conn
	rand *rand.Rand
	next uint64 // the next question's ID
	buf  []byte
}

// A crowd is n askers whose questions differ from those of every other crowd
// with another number, below 2^24.
func crowd(c *call.Conn, seed, number uint64, n int) []*asker {
	var all []*asker
	for i := range uint64(n) {
		all = append(all, &asker{conn: c, rand: rand.New(rand.NewPCG(seed, i)), next: number<<40 | i<<32})
	}
	return all
}

// askAll asks until the peer is gone. It returns what should not have happened.
func askAll(askers []*asker) error {
	errs := make([]error, len(askers))
	var asking sync.WaitGroup
	for i, a := range askers {
		asking.Go(func() {
			for errs[i] == nil {
				errs[i] = a.ask()
			}
			if errors.Is(errs[i], partywall.ErrPeerGone) {
				errs[i] = nil
			}
		})
	}
	asking.Wait()
	return errors.Join(errs...)
}

// ask asks one question and checks the answer.
func (a *asker) ask() error {
	q := question{ID: a.next}
	a.next++
	m, ctx := askM, context.Background()
	switch p := a.rand.IntN(100); {
	case p < 60:
	case p < 80:
		q.Body, q.Reply = a.rand.Uint64N(4096), a.rand.Uint64N(4096)
	case p < 84:
		q.Body, q.Reply = a.rand.Uint64N(512<<10), a.rand.Uint64N(512<<10)
	default:
		m, q.Pause = pauseM, a.rand.Uint64N(2000)
	}
	mayGiveUp := a.rand.IntN(8) == 0
	if mayGiveUp {
		var done func()
		ctx, done = a.impatient()
		defer done()
	}
	var got reply
	var body []byte
	var err error
	if q.Body+q.Reply == 0 {
		got, err = m.Call(ctx, a.conn, q)
	} else {
		a.buf = append(a.buf[:0], make([]byte, q.Body)...)
		write(a.buf, q.ID)
		var into []byte // without room, the larger bodies have to be fetched
		if a.rand.IntN(2) == 0 {
			into = make([]byte, 0, q.Reply)
		}
		got, body, err = m.CallBody(ctx, a.conn, q, a.buf, into)
	}
	switch {
	case err != nil && mayGiveUp && gaveUp(err):
		return nil
	case err != nil:
		return err
	case got != reply{ID: q.ID, Mixed: mix(q.ID)}:
		return fmt.Errorf("question %#x is answered %#x", q.ID, got)
	}
	return checkWritten("the result's body", body, ^q.ID, q.Reply)
}

// impatient returns a context that ends soon, in one way or another.
func (a *asker) impatient() (context.Context, func()) {
	after := time.Duration(a.rand.IntN(400)) * time.Microsecond
	if a.rand.IntN(2) == 0 {
		return context.WithTimeout(context.Background(), after)
	}
	ctx, cancel := context.WithCancel(context.Background())
	timer := time.AfterFunc(after, cancel)
	return ctx, func() { timer.Stop(); cancel() }
}

// gaveUp reports whether a call ended by its context, here or at the handler.
func gaveUp(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	remote := (*call.RemoteError)(nil)
	return errors.As(err, &remote) && !remote.Panic && strings.HasPrefix(remote.Message, "context ")
}
