package rendezvous

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
	"github.com/partywall/partywall/internal/region"
)

// A Link joins two processes. One goroutine at a time may Receive; the other
// methods may be used concurrently.
type Link struct {
	conn *net.UnixConn
	raw  syscall.RawConn
	peer peer.Identity

	ring func(fd uintptr) // made once, so that ringing does not allocate

	sending sync.Mutex
	out     []byte

	in    []byte
	oob   []byte
	pages assembler
	file  *os.File // came with the first page of an unfinished message
	lost  bool     // one came, and this process has no room for it
}

func newLink(conn *net.UnixConn) (*Link, error) {
	l := &Link{
		conn: conn,
		in:   make([]byte, headerSize+pageSize+1), // one more, to notice an oversized frame
		oob:  make([]byte, unix.CmsgSpace(4)),
	}
	var err error
	if l.raw, err = conn.SyscallConn(); err != nil {
		return nil, err
	}
	if l.peer, err = peer.OfSocket(conn); err != nil {
		return nil, err
	}
	return l, nil
}

// RingWith makes kind the message that Ring sends. It is called before the first Ring.
func (l *Link) RingWith(kind uint8) {
	frame := appendHeader(nil, kind, false, 0)
	l.ring = func(fd uintptr) {
		// A full buffer holds messages that the peer has not read, each of
		// which will wake it; a broken socket is the reader's to report.
		_ = unix.Send(int(fd), frame, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
}

// Ring sends an empty message without ever waiting: if the socket's buffer is
// full, it is dropped.
func (l *Link) Ring() { _ = l.raw.Control(l.ring) }

// TrySend sends a message of at most one page without ever waiting, and reports
// whether it went out.
func (l *Link) TrySend(kind uint8, payload []byte) bool {
	frame := append(appendHeader(make([]byte, 0, headerSize+len(payload)), kind, false, len(payload)), payload...)
	var err error
	cerr := l.raw.Control(func(fd uintptr) { err = unix.Send(int(fd), frame, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) })
	return err == nil && cerr == nil
}

// Send sends a message, in pages if it is long, and with it a descriptor if file
// is not nil. It waits at most [Timeout] for a peer that does not read.
func (l *Link) Send(kind uint8, payload []byte, file *os.File) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("%w: a message of %d bytes; the limit is %d", partywall.ErrTooLarge, len(payload), MaxPayload)
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	if err := l.conn.SetWriteDeadline(time.Now().Add(Timeout)); err != nil {
		return err
	}
	var oob []byte
	if file != nil {
		oob = unix.UnixRights(int(file.Fd()))
	}
	for {
		page := payload[:min(len(payload), pageSize)]
		payload = payload[len(page):]
		l.out = append(appendHeader(l.out[:0], kind, len(payload) > 0, len(page)), page...)
		if _, _, err := l.conn.WriteMsgUnix(l.out, oob, nil); err != nil {
			return err
		}
		oob = nil
		if len(payload) == 0 {
			return nil
		}
	}
}

// MakeRegion makes a region that the client gets with [Link.SendRegion].
func (l *Link) MakeRegion(label string, size int64) (*region.Region, error) {
	return region.Create(label, size, region.Sparse)
}

// SendRegion sends a message with a region of [Link.MakeRegion]'s.
func (l *Link) SendRegion(kind uint8, payload []byte, r *region.Region) error {
	defer r.CloseFile()
	return l.Send(kind, payload, r.File())
}

// SetReceiveDeadline bounds the following Receives; the zero time lifts it.
func (l *Link) SetReceiveDeadline(t time.Time) error { return l.conn.SetReadDeadline(t) }

// Receive returns the next message. The error is [io.EOF] when the peer has
// died or closed its end, and wraps [partywall.ErrProtocol] when it sent
// something that no honest peer sends.
func (l *Link) Receive() (Message, error) {
	for {
		n, oobn, flags, _, err := l.conn.ReadMsgUnix(l.in, l.oob)
		if errors.Is(err, unix.ECONNRESET) {
			// The peer closed with our messages unread. The kernel reports that
			// once, before messages that are still to be read, and then the end.
			continue
		}
		files, ferr := parseFiles(l.oob[:oobn])
		if err != nil {
			closeAll(files) // an empty frame reads like the end of file, but can bring descriptors
			return Message{}, l.drop(err)
		}
		err = ferr
		if n == 0 && len(files) == 0 && err == nil {
			return Message{}, l.drop(io.EOF)
		}
		if err == nil {
			err = l.keep(files, flags)
		} else {
			closeAll(files)
		}
		if err != nil {
			return Message{}, l.drop(err)
		}
		kind, more, page, err := parseFrame(l.in[:n])
		if err != nil {
			return Message{}, l.drop(err)
		}
		payload, whole, err := l.pages.add(kind, more, page)
		if err != nil {
			return Message{}, l.drop(err)
		}
		if !whole {
			continue
		}
		m := Message{Kind: kind, Payload: payload}
		if !l.pages.open { // else the descriptor belongs to the unfinished message
			m.File, l.file = l.file, nil
			if l.lost {
				m.Lost, l.lost = errLost, false
			}
		}
		return m, nil
	}
}

// errLost is what recvmsg(2) does not say when it drops a descriptor.
var errLost = fmt.Errorf("receive a descriptor: %w; raise the limit of this process (ulimit -n)", unix.EMFILE)

// keep takes over the descriptors that came with a frame: at most one, with the
// first page.
func (l *Link) keep(files []*os.File, flags int) error {
	if len(files) == 1 && l.file == nil && !l.pages.open && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) == 0 {
		l.file = files[0]
		return nil
	}
	closeAll(files)
	switch {
	case len(files) == 0 && l.file == nil && !l.pages.open && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) == unix.MSG_CTRUNC:
		l.lost = true // oob has room for one: it is the process that has not
		return nil
	case len(files) > 0 || flags&unix.MSG_CTRUNC != 0:
		return fmt.Errorf("%w: more descriptors than a message may carry", partywall.ErrProtocol)
	case flags&unix.MSG_TRUNC != 0:
		return fmt.Errorf("%w: a frame of more than %d bytes", partywall.ErrProtocol, headerSize+pageSize)
	}
	return nil
}

// drop forgets an unfinished message and passes the error on.
func (l *Link) drop(err error) error {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
	l.pages.open, l.lost = false, false
	return err
}

func parseFiles(oob []byte) (files []*os.File, err error) {
	if len(oob) == 0 {
		return nil, nil
	}
	controls, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("%w: control data: %w", partywall.ErrProtocol, err)
	}
	for i := range controls {
		fds, err := unix.ParseUnixRights(&controls[i])
		if err != nil {
			continue // not a descriptor
		}
		for _, fd := range fds {
			// To close a socket that lingers is to wait for its peer.
			_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
			files = append(files, os.NewFile(uintptr(fd), "lent"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// Close ends the link: this side's Receive returns, and the peer sees the end of file.
func (l *Link) Close() error { return l.conn.Close() }

// Interrupt makes a Receive that is waiting return, without closing anything.
func (l *Link) Interrupt() { _ = l.conn.SetReadDeadline(time.Unix(1, 0)) }
