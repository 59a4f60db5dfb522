package rendezvous

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
)

// kindMake is the link's own message: the server asks for memory of a size, and the client says in which handle
// it is, or why there is none.
const kindMake = 0

// MakeRegion makes a region that the client gets with [Link.SendRegion]. Only the server does, once for a
// link, and the goroutine that receives, before anything else is received. The client makes
// the memory: see docs/decisions/0022-the-server-takes.md.
func (l *Link) MakeRegion(_ string, size int64) (*region.Region, error) {
	l.making = true
	defer func() { l.making = false }()
	if err := l.send(kindMake, binary.LittleEndian.AppendUint64(nil, uint64(size)), 0); err != nil {
		return nil, err
	}
	for {
		m, err := l.Receive()
		switch {
		case err != nil:
			return nil, err
		case m.Lost != nil:
			return nil, m.Lost
		case m.File != nil:
			return region.Accept(m.File, size)
		case m.Kind != l.ringKind || len(m.Payload) != 0:
			return nil, fmt.Errorf("%w: message %d instead of memory", partywall.ErrProtocol, m.Kind)
		}
	}
}

// SendRegion sends a message with the region of [Link.MakeRegion].
func (l *Link) SendRegion(kind uint8, payload []byte, _ *region.Region) error {
	return l.send(kind, payload, theOneMade)
}

// theOneMade stands for a handle in a message of the server's: it comes with the memory that the client has made.
const theOneMade windows.Handle = 4

// make is what both sides do with a message of the link's own.
func (l *Link) make(m Message) (Message, error) {
	if !l.client {
		if !l.making || m.File == nil && m.Lost == nil {
			m.File.Close() // if there is one
			return Message{}, fmt.Errorf("%w: memory is offered that was not asked for, or none was made: %.200q", partywall.ErrProtocol, m.Payload)
		}
		return m, nil
	}
	if len(m.Payload) != 8 || m.File != nil || l.asked {
		return Message{}, fmt.Errorf("%w: the server asks for memory in a way that it may not", partywall.ErrProtocol)
	}
	l.asked = true
	size := binary.LittleEndian.Uint64(m.Payload)
	if size == 0 || size > maxMadeBytes || size%uint64(os.Getpagesize()) != 0 {
		return Message{}, fmt.Errorf("%w: the server asks for %d bytes of memory", partywall.ErrProtocol, size)
	}
	r, err := region.Create("control", int64(size), region.Sparse)
	if err != nil {
		_ = l.send(kindMake, []byte(err.Error()), 0)
		return Message{}, err
	}
	l.made = r.Detach()
	return Message{}, l.Send(kindMake, nil, l.made)
}

// closeMade closes what was made, if the server has not sent it back.
func closeMade(f *os.File) {
	if f != nil {
		f.Close()
	}
}
