package rendezvous

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/wait"
)

// A ring carries frames through shared memory, from one process to one other: where no socket does
// that. Each side has one word, which it alone writes and which only grows: how many bytes have been
// written, and how many have been read. docs/PROTOCOL.md, "Links on Windows", has the rules, and
// docs/LAYOUT.md the bytes.
//
// One goroutine at a time uses a side of it.
type ring struct {
	mem     []byte // its length is a power of two
	written *atomic.Uint64
	read    *atomic.Uint64
	mine    uint64 // what this side's word holds; never loaded back, since the peer could have stored there
}

// ringHeader is what precedes a payload in a ring: a frame's header, and the handle that comes
// with it, or 0. Frames begin at multiples of 8.
const ringHeader = headerSize + 8

// frameRoom is what a payload takes of a ring.
func frameRoom(payload int) uint64 { return uint64(ringHeader+payload+7) &^ 7 }

// room returns how many bytes can be written. A peer that claims to have read what was not
// written, or less than before by more than the ring holds, breaks the protocol.
func (r *ring) room() (uint64, error) {
	used := r.mine - r.read.Load()
	if used > uint64(len(r.mem)) {
		return 0, fmt.Errorf("%w: the peer has read %d bytes more than were written", partywall.ErrProtocol, -used)
	}
	return uint64(len(r.mem)) - used, nil
}

// put writes a frame and publishes it, if there is room.
func (r *ring) put(kind uint8, more bool, payload []byte, handle uint64) (ok bool, err error) {
	room, err := r.room()
	if err != nil || room < frameRoom(len(payload)) {
		return false, err
	}
	var header [ringHeader]byte
	appendHeader(header[:0], kind, more, len(payload))
	binary.LittleEndian.PutUint64(header[headerSize:], handle)
	r.copyIn(r.mine, header[:])
	r.copyIn(r.mine+ringHeader, payload)
	r.mine += frameRoom(len(payload))
	wait.Announce64(r.written, r.mine)
	return true, nil
}

// look copies the next frame, header and payload, into buf, which holds the longest, and returns it with its handle; nil if
// there is none. It stays in the ring until [ring.next].
func (r *ring) look(buf []byte) (frame []byte, handle uint64, err error) {
	there := r.written.Load() - r.mine
	switch {
	case there == 0:
		return nil, 0, nil
	case there > uint64(len(r.mem)):
		return nil, 0, fmt.Errorf("%w: the peer has written %d bytes into a ring of %d", partywall.ErrProtocol, there, len(r.mem))
	case there < ringHeader:
		return nil, 0, fmt.Errorf("%w: a frame of %d bytes is shorter than its header", partywall.ErrProtocol, there)
	}
	var header [ringHeader]byte
	r.copyOut(header[:], r.mine)
	length := binary.LittleEndian.Uint32(header[4:])
	if length > pageSize || frameRoom(int(length)) > there {
		return nil, 0, fmt.Errorf("%w: a frame announces a payload of %d bytes, %d are there", partywall.ErrProtocol, length, there)
	}
	frame = buf[:headerSize+int(length)]
	copy(frame, header[:headerSize])
	r.copyOut(frame[headerSize:], r.mine+ringHeader)
	return frame, binary.LittleEndian.Uint64(header[headerSize:]), nil
}

// next gives the room of the frame that look has copied back to the writer.
func (r *ring) next(frame []byte) {
	r.mine += frameRoom(len(frame) - headerSize)
	wait.Announce64(r.read, r.mine)
}

func (r *ring) copyIn(at uint64, b []byte) {
	n := copy(r.mem[at&uint64(len(r.mem)-1):], b)
	copy(r.mem, b[n:])
}

func (r *ring) copyOut(b []byte, at uint64) {
	n := copy(b, r.mem[at&uint64(len(r.mem)-1):])
	copy(b[n:], r.mem)
}
