package call

import (
	"encoding/binary"
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// asking greets with another question for memory.
func asking(payload []byte) func(*lyingServer) error {
	return greetRaw(frame(msgMake, false, payload))
}

func askingFor(size uint64) func(*lyingServer) error {
	return asking(binary.LittleEndian.AppendUint64(nil, size))
}

// answering greets a client that joins with these bytes, and closes the pipe.
func answeringWith(b []byte) func(*taking) error {
	return func(name *taking) error {
		pipe, err := visited(name)
		if err != nil {
			return err
		}
		err = tell(pipe, b)
		<-enough
		return errors.Join(err, windows.CloseHandle(pipe))
	}
}

// visited waits for a client, and for what it says.
func visited(name *taking) (windows.Handle, error) {
	pipe, err := name.visit()
	if err == nil {
		_, err = hear(pipe, joinBytes)
	}
	return pipe, err
}

// answerOf is an answer of a code and a text, which announces so many bytes of it.
func answerOf(code uint32, text string, length uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, code)
	b = binary.LittleEndian.AppendUint32(b, length)
	b = append(b, text...)
	return append(b, make([]byte, answerBytes)...)[:answerBytes]
}

// strangeWelcomes are lies with the memory of the control region, and to who joins.
var strangeWelcomes = []serverLie{
	{name: "welcome-memory-never-made", greet: func(l *lyingServer) error {
		return l.rawHandle(frame(msgWelcome, false, encode(honestly)), 4)
	}},
	{name: "welcome-no-memory", greet: greetWith(msgWelcome, honestly)},
	{name: "welcome-memory-made-and-not-sent", greet: func(l *lyingServer) error {
		if _, err := l.memoryFor(honestly.size()); err != nil {
			return err
		}
		return l.send(msgWelcome, encode(honestly))
	}},
	{name: "welcome-memory-of-another-size", greet: func(l *lyingServer) error {
		f, err := l.memoryFor(honestly.size() + 4096)
		if err != nil {
			return err
		}
		return l.send(msgWelcome, encode(honestly), f)
	}},
	{name: "make-twice", greet: func(l *lyingServer) error {
		for range 2 {
			if _, err := l.memoryFor(honestly.size()); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "make-nothing", greet: askingFor(0)},
	{name: "make-no-pages", greet: askingFor(5)},
	{name: "make-above-the-limit", greet: askingFor(1<<30 + 4096)},
	{name: "make-4-GiB", greet: askingFor(4 << 30)},
	{name: "make-negative", greet: askingFor(math.MaxUint64 &^ 4095)},
	{name: "make-garbage", greet: asking([]byte("garbage"))},
	{name: "make-no-size", greet: asking(nil)},
	{name: "make-with-a-handle", greet: func(l *lyingServer) error {
		return l.rawHandle(frame(msgMake, false, binary.LittleEndian.AppendUint64(nil, 4096)), 4)
	}},

	{name: "join-answer-unknown", join: answeringWith(answerOf(5, "", 0))},
	{name: "join-answer-huge", join: answeringWith(answerOf(math.MaxUint32, "", 0))},
	{name: "join-answer-text-too-long", join: answeringWith(answerOf(1, ugly, answerBytes))},
	{name: "join-answer-text-huge", join: answeringWith(answerOf(1, ugly, math.MaxUint32))},
	{name: "join-answer-ugly", want: partywall.ErrAccess, join: answeringWith(answerOf(1, ugly, uint32(len(ugly))))},
	{name: "join-answer-bad-text", want: partywall.ErrBusy, join: answeringWith(answerOf(4, "\xff\xfe\x00", 3))},
	{name: "join-answer-version", want: partywall.ErrVersion, join: answeringWith(answerOf(2, "", 0))},
	{name: "join-answer-half", want: os.ErrDeadlineExceeded, join: answeringWith(make([]byte, answerBytes-1))},
	{name: "join-no-answer", want: partywall.ErrNotFound, join: func(name *taking) error {
		pipe, err := visited(name)
		return errors.Join(err, windows.CloseHandle(pipe))
	}},
	{name: "join-gone-at-once", want: partywall.ErrNotFound, join: func(name *taking) error {
		pipe, err := name.visit() // which may be before the client says anything
		return errors.Join(err, windows.CloseHandle(pipe))
	}},
	// It says that it has taken what it has not.
	{name: "join-answered-and-nothing-else", want: os.ErrDeadlineExceeded, join: answeringWith(make([]byte, answerBytes))},
	{name: "join-answered-twice", want: os.ErrDeadlineExceeded, join: answeringWith(make([]byte, 2*answerBytes))},
}
