package rendezvous

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/wait"
)

// A Link joins two processes. One goroutine at a time may Receive; the other
// methods may be used concurrently.
//
// It is two rings in memory that the client has made, an event for each side, and the other's process
// handle, which says when it dies. Its messages are those of a socket; a ring without a
// message is a signal of the event.
type Link struct {
	pipe    *pipe // until the other has joined
	process *peer.Process
	client  bool
	peer    peer.Identity

	memory            *region.Region
	event, theirEvent windows.Handle // this side waits for the one, and signals the other
	woken, ended      *wait.Watched
	*linkMemory

	wake  chan struct{} // a token: the receiver shall look
	space chan struct{} // a token: whoever waits for room shall look
	done  chan struct{} // closed by Close
	rang  atomic.Bool   // the event was signalled since Receive last returned
	dead  atomic.Bool   // the peer's process has ended
	over  atomic.Bool   // Close has begun

	using sync.RWMutex // held while the memory and the handles are used; Close takes it

	ringKind uint8
	deadline atomic.Int64 // of Receive, in nanoseconds since 1970, or 0
	in       []byte
	pages    assembler
	file     *os.File // came with the first page of an unfinished message
	lost     error

	sending  sync.Mutex // one message at a time, if it is long or waits
	putting  sync.Mutex // one frame at a time
	inFlight []handover // guarded by putting

	made   *os.File // the client's: memory that the server has asked for, and that comes with a message
	asked  bool     // the client's: the server has asked for it
	making bool     // the server's: MakeRegion waits
}

// A handover is a handle that the peer takes its duplicate of. It is this side's until the peer
// has read the frame.
type handover struct {
	handle windows.Handle
	end    uint64 // of the frame, in the ring
}

func newLink(p *pipe, process *peer.Process, client bool) *Link {
	return &Link{
		pipe:    p,
		process: process,
		client:  client,
		peer:    process.Identity,
		wake:    make(chan struct{}, 1),
		space:   make(chan struct{}, 1),
		done:    make(chan struct{}),
		in:      make([]byte, headerSize+pageSize),
	}
}

// begin lays the words over the memory, and begins to watch for signals and for the peer's end.
func (l *Link) begin() (err error) {
	l.linkMemory = newLinkMemory(l.memory.Bytes(), l.client)
	if l.woken, err = wait.WatchEvent(l.event, func() {
		l.rang.Store(true)
		l.look()
	}); err != nil {
		return err
	}
	l.ended, err = wait.WatchEnd(l.process.Handle, func() {
		l.dead.Store(true)
		l.look()
	})
	return err
}

// look makes the receiver, and whoever waits for room, look.
func (l *Link) look() {
	poke(l.wake)
	poke(l.space)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// use keeps the memory and the handles until the end that it returns is called; ok is false after Close.
func (l *Link) use() (ok bool) {
	l.using.RLock()
	if l.over.Load() {
		l.using.RUnlock()
		return false
	}
	return true
}

// RingWith makes kind the message that the peer's Ring is received as. It is called by the goroutine that receives;
// signals before it are for messages alone.
func (l *Link) RingWith(kind uint8) { l.ringKind = kind }

// Ring wakes the peer's receiver, to whom it looks like an empty message.
func (l *Link) Ring() {
	if l.use() {
		_ = windows.SetEvent(l.theirEvent)
		l.using.RUnlock()
	}
}

// put sends one frame if there is room.
func (l *Link) put(kind uint8, more bool, payload []byte, handle windows.Handle) (ok bool, err error) {
	if !l.use() {
		return false, net.ErrClosed
	}
	defer l.using.RUnlock()
	if l.dead.Load() || l.theirs.closed.Load() != 0 {
		return false, io.ErrClosedPipe
	}
	l.putting.Lock()
	defer l.putting.Unlock()
	l.reap()
	if ok, err = l.out.put(kind, more, payload, uint64(handle)); !ok || err != nil {
		return false, err
	}
	if handle != 0 && l.client {
		l.inFlight = append(l.inFlight, handover{handle, l.out.mine})
	}
	_ = windows.SetEvent(l.theirEvent) // what is in the ring has been sent, and its handle is not the sender's any more
	return true, nil
}

// reap closes the handles that the peer has taken. The caller holds putting.
func (l *Link) reap() {
	read := l.out.read.Load()
	n := 0
	for n < len(l.inFlight) && int64(read-l.inFlight[n].end) >= 0 {
		_ = windows.CloseHandle(l.inFlight[n].handle)
		n++
	}
	l.inFlight = l.inFlight[n:]
}

// TrySend sends a message of at most one page without ever waiting, and reports
// whether it went out.
func (l *Link) TrySend(kind uint8, payload []byte) bool {
	ok, err := l.put(kind, false, payload, 0)
	return ok && err == nil
}

// Send sends a message, in pages if it is long, and with it the memory that file has open, if that is
// not nil: so may only the client. It waits at most [Timeout] for a peer that does not read.
func (l *Link) Send(kind uint8, payload []byte, file *os.File) error {
	if file == nil {
		return l.send(kind, payload, 0)
	}
	var h windows.Handle
	self := windows.CurrentProcess()
	if err := windows.DuplicateHandle(self, windows.Handle(file.Fd()), self, &h, region.Access, false, 0); err != nil {
		return os.NewSyscallError("DuplicateHandle", err)
	}
	return l.send(kind, payload, h)
}

// send is Send with a handle, which it takes over.
func (l *Link) send(kind uint8, payload []byte, handle windows.Handle) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("%w: a message of %d bytes; the limit is %d", partywall.ErrTooLarge, len(payload), MaxPayload)
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	for {
		page := payload[:min(len(payload), pageSize)]
		payload = payload[len(page):]
		if err := l.patiently(kind, len(payload) > 0, page, handle); err != nil {
			if handle != 0 && l.client {
				_ = windows.CloseHandle(handle)
			}
			return err
		}
		handle = 0
		if len(payload) == 0 {
			return nil
		}
	}
}

// patiently sends one frame, and waits for room. Whoever waits says so before it looks again; whoever
// reads looks for that after it has given room back.
func (l *Link) patiently(kind uint8, more bool, page []byte, handle windows.Handle) error {
	ok, err := l.put(kind, more, page, handle)
	if ok || err != nil {
		return err
	}
	l.waits(1)
	defer l.waits(0)
	timer := time.NewTimer(Timeout)
	defer timer.Stop()
	for {
		ok, err := l.put(kind, more, page, handle)
		if ok || err != nil {
			return err
		}
		select {
		case <-l.space:
		case <-l.done:
			return net.ErrClosed
		case <-timer.C:
			return os.ErrDeadlineExceeded
		}
	}
}

func (l *Link) waits(n uint32) {
	if l.use() {
		wait.Announce(&l.mine.waits, n)
		l.using.RUnlock()
	}
}

// Close ends the link: this side's Receive returns, and the peer sees the end of file.
func (l *Link) Close() error {
	if l.over.Swap(true) {
		return nil
	}
	close(l.done)
	l.using.Lock() // whoever used the memory is done, and nobody begins any more
	defer l.using.Unlock()
	l.pipe.close() // first: see joinServer
	if l.linkMemory != nil {
		l.mine.closed.Store(1)
		_ = windows.SetEvent(l.theirEvent)
	}
	for _, w := range []*wait.Watched{l.woken, l.ended} {
		if w != nil {
			w.Stop()
		}
	}
	for _, h := range l.inFlight {
		_ = windows.CloseHandle(h.handle)
	}
	for _, h := range []windows.Handle{l.event, l.theirEvent} {
		if h != 0 {
			_ = windows.CloseHandle(h)
		}
	}
	if l.memory != nil {
		_ = l.memory.Close()
	}
	closeMade(l.made)
	l.process.Close()
	return nil
}
