package rendezvous

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
)

// A Listener holds a name. Close gives it back.
type Listener struct {
	place  Place
	dir    *Dir
	lock   *os.File
	name   string
	where  string // the pipe's name
	access *windows.SecurityAttributes

	accepted chan arrival  // clients that have joined, or were refused
	room     chan struct{} // a token for each client that joins, or waits for Accept
	stop     chan struct{} // closed by Close
	ran      chan struct{} // closed when run has returned
	closing  sync.Once
	work     sync.WaitGroup
}

type arrival struct {
	link *Link
	err  error
}

// backlog is how many clients may join at once, or wait for Accept. Others wait outside: so it takes
// so many that say nothing to keep others waiting. Each costs a goroutine and a handle.
const backlog = 1024

func listen(place Place, name string) (_ *Listener, err error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, err
	}
	l := &Listener{
		place:    place,
		name:     name,
		where:    newPipeName(),
		accepted: make(chan arrival),
		room:     make(chan struct{}, backlog),
		stop:     make(chan struct{}),
		ran:      make(chan struct{}),
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	if l.dir, err = place.Open(true); err != nil {
		return nil, fmt.Errorf("serve %q: %w", name, err)
	}
	start, started := l.dir.inheritedStart(fileStem(name))
	if l.lock, err = l.take(started); err != nil {
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("%w: %q is served by another process", partywall.ErrRunning, name)
		}
		return nil, fmt.Errorf("serve %q: lock: %w", name, err)
	}
	if l.access, err = accessFor(PrivatePipe, GroupPipe, l.dir.group); err != nil {
		return nil, fmt.Errorf("serve %q: %w", name, err)
	}
	if l.dir.group != nil {
		if err = letSee(l.dir.group); err != nil {
			return nil, fmt.Errorf("serve %q: %w", name, err)
		}
	}
	first, err := makePipe(l.where, true, l.access)
	if err != nil {
		return nil, fmt.Errorf("serve %q: %w", name, err)
	}
	if err = sign(l.lock, l.where, name); err != nil {
		first.close()
		return nil, fmt.Errorf("serve %q: note the name: %w", name, err)
	}
	if started {
		endInheritedStart(start)
	}
	l.work.Go(func() {
		defer close(l.ran)
		l.run(first)
	})
	return l, nil
}

// farewell is how long a server that a client has started, because nobody answered,
// waits for its predecessor to let go of the name: the system closes what a process that ends has
// open in an order of its own.
const farewell = 2 * time.Second

// take locks the name.
func (l *Listener) take(started bool) (*os.File, error) {
	patience := time.Now()
	if started {
		patience = patience.Add(farewell)
	}
	for {
		f, err := l.dir.lock(fileStem(l.name) + ".lock")
		if !errors.Is(err, errLocked) || !time.Now().Before(patience) {
			return f, err
		}
		time.Sleep(time.Millisecond)
	}
}

// run accepts clients until Close. There is always an instance of the pipe that a client finds.
func (l *Listener) run(p *pipe) {
	for {
		err := p.accept()
		if l.stopped() {
			p.close()
			return
		}
		next, nerr := makePipe(l.where, false, l.access)
		for ; nerr != nil; next, nerr = makePipe(l.where, false, l.access) {
			l.arrive(arrival{err: &outOfPipes{nerr}})
			if l.pause(10 * time.Millisecond) {
				p.close()
				return
			}
		}
		if err != nil { // it has gone again
			p.close()
		} else {
			l.greet(p)
		}
		p = next
	}
}

// greet lets a client join, in a goroutine of its own.
func (l *Listener) greet(p *pipe) {
	select {
	case l.room <- struct{}{}:
	case <-l.stop:
		p.close()
		return
	}
	l.work.Go(func() {
		defer func() { <-l.room }()
		link, err := l.join(p)
		if err == nil || errors.Is(err, partywall.ErrAccess) {
			l.arrive(arrival{link, err})
		}
	})
}

// join asks the kernel who has connected, and lets him join if that may be. A client that has gone, or
// broken a rule, is not worth a word to the server.
func (l *Listener) join(p *pipe) (*Link, error) {
	pid, err := p.client()
	if err != nil {
		p.close()
		return nil, err
	}
	client, err := peer.OfProcess(pid, peer.Take)
	if err == nil {
		if err = l.place.admit(client.Identity); err != nil {
			client.Close()
		}
	}
	if err != nil {
		_ = p.write(encodeAnswer(err))
		p.close()
		return nil, err
	}
	return joinServer(p, client, l.stop)
}

// arrive hands a client to Accept.
func (l *Listener) arrive(a arrival) {
	select {
	case l.accepted <- a:
	case <-l.stop:
		if a.link != nil {
			a.link.Close()
		}
	}
}

// outOfPipes: there may be one later.
type outOfPipes struct{ error }

func (*outOfPipes) Temporary() bool { return true }
func (e *outOfPipes) Unwrap() error { return e.error }

func (l *Listener) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// pause waits, and reports whether Close has ended that.
func (l *Listener) pause(d time.Duration) bool {
	select {
	case <-l.stop:
		return true
	case <-time.After(d):
		return false
	}
}

// Accept waits for the next client. The error is [net.ErrClosed] after Close;
// a client of another user or another session is refused with an error that wraps
// [partywall.ErrAccess], after which Accept can go on.
func (l *Listener) Accept() (*Link, error) {
	select {
	case a := <-l.accepted:
		return a.link, a.err
	case <-l.stop:
		return nil, net.ErrClosed
	}
}

// Close gives the name back: new clients are refused, links go on. It is
// idempotent, and may be called concurrently with Accept.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		close(l.stop)
		for l.running() { // it waits for a client, and for nothing else: it gets one
			if p, err := openPipe(l.where); err == nil {
				p.close()
			}
		}
		l.work.Wait()
		l.release()
	})
	return nil
}

// running reports whether run has not ended after a moment.
func (l *Listener) running() bool {
	select {
	case <-l.ran:
		return false
	case <-time.After(time.Millisecond):
		return true
	}
}

func (l *Listener) release() {
	if l.lock != nil {
		l.lock.Close()
	}
	if l.dir != nil {
		l.dir.Close()
	}
}
