package call

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/region"
)

// The bytes of a link: docs/LAYOUT.md, "Links on Windows".
const (
	joinMagic    = "PWALLLK1"
	joinBytes    = 40
	answerBytes  = 264
	linkRing     = 64 << 10
	linkClient   = 128 // the words that the client writes
	linkServer   = 256
	linkToServer = 4096
	linkToClient = linkToServer + linkRing
	linkBytes    = linkToClient + linkRing
	linkHeader   = frameHeader + 8
	msgMake      = 0
)

const (
	liesEach = 40 // that a process tells: Wine takes a second to start one
	ease     = 10 // divides what is done very often

	shortHandshakeTime = 1500 * time.Millisecond // in which a mebibyte must get through
)

// linkSide are the words that one side writes.
type linkSide struct {
	written, read atomic.Uint64
	waits, closed atomic.Uint32
}

// A wire is memory and two events. One goroutine receives; another may do all else.
type wire struct {
	client     bool
	pipe       windows.Handle
	process    windows.Handle // the victim's
	memory     *region.Region
	mine       *linkSide
	theirs     *linkSide
	out, in    []byte
	event      windows.Handle // that the victim signals
	theirEvent windows.Handle
	putting    sync.Mutex
	receiving  sync.Mutex
	written    uint64
	read       uint64
	queue      []note
	deaf, hung atomic.Bool
	asked      uint64
	lent       []*os.File // open for as long as the victim may take them
	made       *os.File   // a client's: what the server has asked for
	whenToMake func(size uint64) error
}

// lay puts the words and the rings over the memory.
func (w *wire) lay(r *region.Region) {
	w.memory = r
	mem := r.Bytes()
	w.mine, w.theirs = region.At[linkSide](mem, linkClient), region.At[linkSide](mem, linkServer)
	w.out, w.in = mem[linkToServer:linkToClient], mem[linkToClient:linkBytes]
	if !w.client {
		w.mine, w.theirs = w.theirs, w.mine
		w.out, w.in = w.in, w.out
	}
}

// isOver reports whether the victim has ended the link, or its process has ended.
func (w *wire) isOver() bool {
	if w.theirs.closed.Load() != 0 {
		return true
	}
	if w.asked++; w.asked%64 != 0 { // the process is asked for now and then
		return false
	}
	ended, err := windows.WaitForSingleObject(w.process, 0)
	return err != nil || ended == windows.WAIT_OBJECT_0
}

// raw sends one frame as it is, with at most one file's handle. What is too short to be a frame
// is all that there is then.
func (w *wire) raw(frame []byte, files ...*os.File) error {
	var handle uint64
	switch {
	case len(files) > 1:
		return errors.New("a frame has room for one handle")
	case len(files) == 1 && w.client:
		handle = uint64(files[0].Fd())
		w.lent = append(w.lent, files...)
	case len(files) == 1:
		handle = 4 // a server names none: it sends what the client has made
	}
	return w.rawHandle(frame, handle)
}

func (w *wire) rawHandle(frame []byte, handle uint64) error {
	b := frame
	if len(frame) >= frameHeader {
		b = binary.LittleEndian.AppendUint64(append([]byte(nil), frame[:frameHeader]...), handle)
		b = append(b, frame[frameHeader:]...)
		b = append(b, make([]byte, -len(b)&7)...)
	}
	return w.pour(b)
}

// pour writes bytes into the ring once there is room, or an empty ring for more than it holds, and
// says that they are there.
func (w *wire) pour(b []byte) error {
	w.putting.Lock()
	defer w.putting.Unlock()
	for {
		if w.hung.Load() {
			return net.ErrClosed
		}
		if w.isOver() {
			return errEnded
		}
		if used := w.written - w.theirs.read.Load(); used+uint64(min(len(b), linkRing)) <= linkRing {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for i, c := range b[:min(len(b), linkRing)] {
		w.out[(w.written+uint64(i))%linkRing] = c
	}
	w.written += uint64(len(b))
	w.mine.written.Store(w.written)
	return windows.SetEvent(w.theirEvent)
}

// ring signals the victim's event, which is how one rings.
func (w *wire) ring() error {
	w.putting.Lock()
	defer w.putting.Unlock()
	switch {
	case w.hung.Load():
		return net.ErrClosed
	case w.isOver():
		return errEnded
	}
	return windows.SetEvent(w.theirEvent)
}

// receive returns the victim's next message, or a ring if the event was signalled for none; none that
// it sends to a liar has more than one page.
func (w *wire) receive() (note, error) {
	w.receiving.Lock()
	defer w.receiving.Unlock()
	for {
		if len(w.queue) > 0 {
			m := w.queue[0]
			w.queue = w.queue[1:]
			return m, nil
		}
		switch {
		case w.hung.Load():
			return note{}, net.ErrClosed
		case w.deaf.Load():
			return note{}, os.ErrDeadlineExceeded
		}
		over := w.theirs.closed.Load() != 0
		rang, dead := false, false
		if !over {
			// First the event, then the ring: so a signal that was for a message is not taken for one without.
			what, err := windows.WaitForMultipleObjects([]windows.Handle{w.event, w.process}, false, windows.INFINITE)
			if err != nil {
				return note{}, err
			}
			rang, dead = what == windows.WAIT_OBJECT_0, what == windows.WAIT_OBJECT_0+1
		}
		if w.hung.Load() || w.deaf.Load() {
			continue
		}
		drained, err := w.drain()
		switch {
		case err != nil:
			return note{}, err
		case drained || len(w.queue) > 0:
		case over || dead:
			return note{}, errEnded
		case rang && w.theirs.closed.Load() == 0:
			return note{kind: msgRing}, nil
		}
	}
}

// drain takes all the frames that are there.
func (w *wire) drain() (some bool, err error) {
	for ; ; some = true {
		there := w.theirs.written.Load() - w.read
		if there == 0 {
			return some, nil
		}
		var header [linkHeader]byte
		for i := range header {
			header[i] = w.in[(w.read+uint64(i))%linkRing]
		}
		n := uint64(binary.LittleEndian.Uint32(header[4:]))
		if n > framePayload || there < linkHeader+n {
			return some, fmt.Errorf("the victim sends a frame of %d bytes, %d are there", n, there)
		}
		m := note{kind: header[0], payload: make([]byte, n)}
		for i := range m.payload {
			m.payload[i] = w.in[(w.read+linkHeader+uint64(i))%linkRing]
		}
		if handle := binary.LittleEndian.Uint64(header[frameHeader:]); handle != 0 {
			if m.file, err = w.take(handle); err != nil {
				return some, err
			}
		}
		w.read += (linkHeader + n + 7) &^ 7
		w.mine.read.Store(w.read)
		if w.theirs.waits.Load() != 0 {
			_ = windows.SetEvent(w.theirEvent)
		}
		if w.client && m.kind == msgMake {
			if err := w.make(binary.LittleEndian.Uint64(m.payload)); err != nil {
				return some, err
			}
			continue
		}
		w.queue = append(w.queue, m)
	}
}

// take is what comes with a frame: a duplicate of the client's handle, or what the client has made.
func (w *wire) take(handle uint64) (*os.File, error) {
	if w.client {
		f := w.made
		w.made = nil
		return f, nil
	}
	var h windows.Handle
	err := windows.DuplicateHandle(w.process, windows.Handle(handle), windows.CurrentProcess(), &h, 0, false, windows.DUPLICATE_SAME_ACCESS)
	return os.NewFile(uintptr(h), "taken"), err
}

// make makes the memory that a server has asked for.
func (w *wire) make(size uint64) (err error) {
	if w.whenToMake != nil {
		return w.whenToMake(size)
	}
	if w.made, err = lendable(int64(size)); err != nil {
		return err
	}
	w.lent = append(w.lent, w.made)
	return w.raw(frame(msgMake, false, nil), w.made)
}

// memoryFor has the victim make memory for a control region of that size.
func (w *wire) memoryFor(size int64) (*os.File, error) {
	ask := frame(msgMake, false, binary.LittleEndian.AppendUint64(nil, uint64(size)))
	if err := w.raw(ask); err != nil {
		return nil, err
	}
	for {
		m, err := w.receive()
		switch {
		case err != nil:
			return nil, err
		case m.kind == msgRing:
		case m.kind != msgMake || m.file == nil:
			return nil, fmt.Errorf("message %d, %q, instead of memory", m.kind, m.payload)
		default:
			return m.file, nil
		}
	}
}

// deafen ends a receive that waits, and all others.
func (w *wire) deafen() error {
	w.deaf.Store(true)
	return windows.SetEvent(w.event)
}

// hangUp says that the link is over, and lets go of all of it.
func (w *wire) hangUp() error {
	if w.hung.Swap(true) {
		return nil
	}
	w.mine.closed.Store(1)
	err := errors.Join(windows.SetEvent(w.theirEvent), windows.SetEvent(w.event))
	w.receiving.Lock()
	defer w.receiving.Unlock()
	w.putting.Lock()
	defer w.putting.Unlock()
	for _, f := range w.lent {
		f.Close()
	}
	for _, h := range []windows.Handle{w.event, w.theirEvent, w.process} {
		err = errors.Join(err, windows.CloseHandle(h))
	}
	return errors.Join(err, w.memory.Close())
}
