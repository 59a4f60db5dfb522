package rendezvous

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/winapi"
)

// The two messages on a pipe. The client makes the memory and the events of the link, and says in
// which of its handles they are; the server takes duplicates for itself, with the right that it has on the
// client's process, and answers. No process is ever given a handle: so none has one that it does not
// know of when the other dies, and none believes a number that it was told. docs/decisions/0022-the-server-takes.md
// argues that.
type join struct {
	memory, clientEvent, serverEvent uint64
}

const (
	joinSize   = 40
	answerSize = 264
	answerText = answerSize - 8
)

var joinMagic = [8]byte{'P', 'W', 'A', 'L', 'L', 'L', 'K', '0' + linkVersion}

func (j join) encode() []byte {
	b := append(make([]byte, 0, joinSize), joinMagic[:]...)
	b = binary.LittleEndian.AppendUint64(b, linkSize)
	b = binary.LittleEndian.AppendUint64(b, j.memory)
	b = binary.LittleEndian.AppendUint64(b, j.clientEvent)
	return binary.LittleEndian.AppendUint64(b, j.serverEvent)
}

func decodeJoin(b []byte) (j join, err error) {
	switch size := binary.LittleEndian.Uint64(b[8:]); {
	case [8]byte(b) != joinMagic:
		return j, fmt.Errorf("%w: the client's link is of another version, or none", partywall.ErrVersion)
	case size != linkSize:
		return j, fmt.Errorf("%w: the client's link has %d bytes, not %d", partywall.ErrVersion, size, linkSize)
	}
	j.memory = binary.LittleEndian.Uint64(b[16:])
	j.clientEvent = binary.LittleEndian.Uint64(b[24:])
	j.serverEvent = binary.LittleEndian.Uint64(b[32:])
	return j, nil
}

// The codes of an answer.
const (
	answerJoined = iota
	answerAccess
	answerVersion
	answerProtocol
	answerBusy
)

var answers = []error{
	answerAccess:   partywall.ErrAccess,
	answerVersion:  partywall.ErrVersion,
	answerProtocol: partywall.ErrProtocol,
	answerBusy:     partywall.ErrBusy,
}

// encodeAnswer is the answer that a client gets: joined, if err is nil.
func encodeAnswer(err error) []byte {
	b := make([]byte, answerSize)
	if err == nil {
		return b
	}
	code := answerBusy
	for c, sentinel := range answers {
		if sentinel != nil && errors.Is(err, sentinel) {
			code = c
		}
	}
	n := copy(b[8:], err.Error())
	binary.LittleEndian.PutUint32(b, uint32(code))
	binary.LittleEndian.PutUint32(b[4:], uint32(n))
	return b
}

func decodeAnswer(b []byte) error {
	code, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if code == answerJoined {
		return nil
	}
	if code >= uint32(len(answers)) || n > answerText {
		return fmt.Errorf("%w: the server has given an unknown answer, %d", partywall.ErrProtocol, code)
	}
	return &refusedJoin{answers[code], printable(string(b[8 : 8+n]))}
}

// A refusedJoin is what the server says against the link.
type refusedJoin struct {
	kind error
	text string
}

func (r *refusedJoin) Error() string { return "the server refuses this client: " + r.text }
func (r *refusedJoin) Unwrap() error { return r.kind }

// printable is a peer's text as it can be shown.
func printable(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r < ' ' || r == utf8.RuneError || r >= 0x7f && r < 0xa0 {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}

// take duplicates a handle of a peer's process into this one, with the access asked for. Numbers that no handle
// has are refused: the system takes some of them for the process itself.
func take(process windows.Handle, number uint64, access uint32) (h windows.Handle, err error) {
	if number == 0 || number > 1<<31-1 || number%4 != 0 {
		return 0, fmt.Errorf("%w: %#x is no handle", partywall.ErrProtocol, number)
	}
	err = windows.DuplicateHandle(process, windows.Handle(number), windows.CurrentProcess(), &h, access, false, 0)
	switch {
	case errors.Is(err, windows.ERROR_INVALID_HANDLE):
		return 0, fmt.Errorf("%w: the client has no handle %#x", partywall.ErrProtocol, number)
	case err != nil:
		return 0, os.NewSyscallError("DuplicateHandle", err)
	}
	return h, nil
}

// takeEvent takes an event that wakes one waiter. Another object could be signalled for ever, at no cost
// to its owner.
func takeEvent(process windows.Handle, number uint64) (windows.Handle, error) {
	h, err := take(process, number, windows.SYNCHRONIZE|winapi.EVENT_MODIFY_STATE|winapi.EVENT_QUERY_STATE)
	if err != nil {
		return 0, err
	}
	var info winapi.EventBasicInformation
	if err := winapi.NtQueryEvent(h, 0, &info, 8, nil); err != nil || info.EventType != winapi.SynchronizationEvent {
		_ = windows.CloseHandle(h)
		return 0, fmt.Errorf("%w: handle %#x is not an event that resets itself: %v", partywall.ErrProtocol, number, err)
	}
	return h, nil
}

// joinServer does the server's part: it reads the client's message, takes what it names, and answers.
func joinServer(p *pipe, client *peer.Process, stop <-chan struct{}) (_ *Link, err error) {
	l := newLink(p, client, false)
	defer func() {
		if err != nil {
			_ = p.write(encodeAnswer(err))
			l.Close()
		}
	}()
	b := make([]byte, joinSize)
	if err := p.read(b, stop, time.Now().Add(Timeout)); err != nil {
		return nil, err
	}
	j, err := decodeJoin(b)
	if err != nil {
		return nil, err
	}
	memory, err := take(client.Handle, j.memory, region.Access)
	if err != nil {
		return nil, err
	}
	if l.memory, err = region.Accept(os.NewFile(uintptr(memory), "link"), linkSize); err != nil {
		return nil, err
	}
	if l.theirEvent, err = takeEvent(client.Handle, j.clientEvent); err != nil {
		return nil, err
	}
	if l.event, err = takeEvent(client.Handle, j.serverEvent); err != nil {
		return nil, err
	}
	// The client still has the pipe open: so the process that its number led to is the client, and what was taken is what it
	// has named, since it closes the pipe before its handles.
	if _, err := p.available(); err != nil {
		return nil, err
	}
	if err := l.begin(); err != nil {
		return nil, err
	}
	if err := p.write(encodeAnswer(nil)); err != nil {
		return nil, err
	}
	// It closes the pipe when it has read that. A pipe that stays open would look like a server that is
	// busy, when this one has ended.
	if err := p.hangUp(stop, time.Now().Add(Timeout)); err != nil {
		return nil, err
	}
	return l, nil
}

// joinClient does the client's part.
func joinClient(p *pipe, server *peer.Process, stop <-chan struct{}) (_ *Link, err error) {
	l := newLink(p, server, true)
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.memory, err = region.Create("link", linkSize, region.Filled); err != nil {
		return nil, err
	}
	for _, event := range []*windows.Handle{&l.event, &l.theirEvent} {
		if *event, err = windows.CreateEvent(nil, 0, 0, nil); err != nil {
			return nil, os.NewSyscallError("CreateEvent", err)
		}
	}
	if err := l.begin(); err != nil {
		return nil, err
	}
	j := join{uint64(l.memory.File().Fd()), uint64(l.event), uint64(l.theirEvent)}
	if err := p.write(j.encode()); err != nil {
		return nil, err
	}
	b := make([]byte, answerSize)
	if err := p.read(b, stop, time.Now().Add(Timeout)); err != nil {
		return nil, err
	}
	if err := decodeAnswer(b); err != nil {
		return nil, err
	}
	l.memory.CloseFile()
	p.close()
	return l, nil
}
