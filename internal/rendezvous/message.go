package rendezvous

import (
	"encoding/binary"
	"fmt"
	"os"

	"github.com/partywall/partywall"
)

// A Message is what one side tells the other through the socket.
type Message struct {
	Kind    uint8
	Payload []byte   // valid until the next Receive
	File    *os.File // a descriptor that came along, or nil; the receiver closes it
	Lost    error    // why a descriptor that came along is not there, or nil
}

const (
	// pageSize is the payload of one frame. Longer payloads are sent in pages,
	// since a long seqpacket message fails with EMSGSIZE.
	pageSize = 4096

	// MaxPayload is the longest payload in bytes, over all its pages.
	MaxPayload = 1 << 20

	headerSize = 8
)

// A frame is a kind, a flag that says whether more pages follow, two zero bytes,
// the payload's length, and the payload.
func appendHeader(b []byte, kind uint8, more bool, length int) []byte {
	b = append(b, kind, 0, 0, 0)
	if more {
		b[len(b)-3] = 1
	}
	return binary.LittleEndian.AppendUint32(b, uint32(length))
}

func parseFrame(frame []byte) (kind uint8, more bool, payload []byte, err error) {
	if len(frame) < headerSize {
		return 0, false, nil, fmt.Errorf("%w: a frame of %d bytes is shorter than its header", partywall.ErrProtocol, len(frame))
	}
	length := binary.LittleEndian.Uint32(frame[4:])
	if frame[1] > 1 || frame[2] != 0 || frame[3] != 0 {
		return 0, false, nil, fmt.Errorf("%w: a frame with unknown flags % x", partywall.ErrProtocol, frame[1:4])
	}
	if int64(length) != int64(len(frame)-headerSize) || length > pageSize {
		return 0, false, nil, fmt.Errorf("%w: a frame of %d bytes announces a payload of %d", partywall.ErrProtocol, len(frame), length)
	}
	return frame[0], frame[1] == 1, frame[headerSize:], nil
}

// assembler joins pages into messages. What it holds is bounded by MaxPayload.
type assembler struct {
	kind    uint8
	payload []byte
	open    bool
}

// add takes one frame's content and returns the payload of the message that it
// completes, if it does. Rings and other short messages are sent without
// waiting for a long message's turn, so a message of a single frame may come
// between the pages of one of another kind.
func (a *assembler) add(kind uint8, more bool, page []byte) (payload []byte, whole bool, err error) {
	switch {
	case a.open && kind != a.kind && !more:
		return page, true, nil
	case a.open && kind != a.kind:
		return nil, false, fmt.Errorf("%w: a long message of kind %d within one of kind %d", partywall.ErrProtocol, kind, a.kind)
	case !a.open && !more:
		return page, true, nil
	case !a.open:
		a.kind, a.payload, a.open = kind, a.payload[:0], true
	}
	if len(a.payload)+len(page) > MaxPayload {
		return nil, false, fmt.Errorf("%w: a message of more than %d bytes", partywall.ErrProtocol, MaxPayload)
	}
	a.payload = append(a.payload, page...)
	a.open = more
	return a.payload, !more, nil
}
