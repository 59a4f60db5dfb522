package call

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// signal has the victim look.
func (w *wire) signal() error { return windows.SetEvent(w.theirEvent) }

// A wordLie is a lie in the words or the bytes of a link, which either side can tell.
type wordLie struct {
	name string
	lie  func(w *wire) error
}

// wordLies break the protocol.
var wordLies = []wordLie{
	{"ring-written-too-far", func(w *wire) error { w.mine.written.Store(w.written + linkRing + 8); return w.signal() }},
	{"ring-written-one-too-far", func(w *wire) error { w.mine.written.Store(w.theirs.read.Load() + linkRing + 1); return w.signal() }},
	{"ring-written-back", func(w *wire) error { w.mine.written.Store(w.written - 8); return w.signal() }},
	{"ring-written-huge", func(w *wire) error { w.mine.written.Store(math.MaxUint64 / 2); return w.signal() }},
	{"ring-part-of-a-header", func(w *wire) error { return w.pour([]byte{msgRing, 0, 0, 0, 0, 0, 0, 0}) }},
	{"ring-one-byte", func(w *wire) error { return w.pour([]byte{0}) }},
	{"ring-length-beyond-what-is-there", func(w *wire) error {
		return w.pour(append(frameOf([4]byte{msgRing}, 64, 0), make([]byte, 8+56)...))
	}},
	{"ring-length-of-a-page-and-more", func(w *wire) error {
		return w.pour(append(frameOf([4]byte{msgRing}, framePayload+8, 0), make([]byte, 8+framePayload+8)...))
	}},
	{"ring-frame-out-of-step", func(w *wire) error { // the next frame begins where none can
		if err := w.pour(make([]byte, 3)); err != nil {
			return err
		}
		return w.pour(make([]byte, 40))
	}},
	{"ring-garbage", func(w *wire) error {
		b := make([]byte, linkRing)
		for i := range b {
			b[i] = 0xa5
		}
		return w.pour(b)
	}},
}

// strangeFrames are lies in the memory of the link, and in what comes with it.
var strangeFrames = concatLies(clientWordLies(), []clientLie{
	// To have read what was not written shows when the server writes.
	{name: "ring-read-too-far", lie: readWord(func(w *wire) uint64 { return w.theirs.written.Load() + 8 })},
	{name: "ring-read-huge", lie: readWord(func(w *wire) uint64 { return math.MaxUint64 / 2 })},
	{name: "ring-read-back", lie: readWord(func(w *wire) uint64 { return w.theirs.written.Load() - linkRing - 8 })},

	// Who says for ever that it waits for room costs the server a signal for each frame.
	{name: "waits-for-ever", want: served, lie: func(l *lyingClient) error {
		for _, n := range []uint32{1, 2, math.MaxUint32} {
			l.mine.waits.Store(n)
			if err := l.check(); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "closed-and-more", cause: errNone, lie: func(l *lyingClient) error {
		l.mine.closed.Store(1)
		_, err := l.question("lie.add")
		return err
	}},
	{name: "closed-garbage", cause: errNone, lie: func(l *lyingClient) error {
		l.mine.closed.Store(math.MaxUint32)
		_, err := l.question("lie.add")
		return err
	}},
	{name: "closed-for-a-moment", cause: errNone, lie: func(l *lyingClient) error {
		for {
			l.mine.closed.Store(1)
			if err := l.signal(); err != nil {
				return err
			}
			l.mine.closed.Store(0)
			if err := l.check(); err != nil {
				return err
			}
		}
	}},
	// The server's words are its own to know: what it has stored there it does not load again.
	{name: "words-of-the-server", want: served, lie: func(l *lyingClient) error {
		for range 100 {
			l.theirs.waits.Store(rand.Uint32())
			for i := linkServer + 24; i < linkToServer; i++ {
				l.wire.memory.Bytes()[i] = byte(rand.Uint32())
			}
			if err := l.probe(); err != nil {
				return err
			}
		}
		return l.check()
	}},
	// Rings as messages, which they need not be.
	{name: "ring-as-message-flood", want: served, lie: func(l *lyingClient) error {
		for range 50_000 / ease {
			if err := l.send(msgRing, nil); err != nil {
				return err
			}
		}
		return nil
	}},
	// Signals that nobody meant.
	{name: "signal-flood", want: served, lie: func(l *lyingClient) error {
		for range 10_000 / ease {
			if err := l.signal(); err != nil {
				return err
			}
		}
		return nil
	}},
}, makeLies)

func clientWordLies() (lies []clientLie) {
	for _, a := range wordLies {
		lies = append(lies, clientLie{name: a.name, lie: func(l *lyingClient) error {
			if err := a.lie(l.wire); err != nil {
				return err
			}
			<-l.over
			return errEnded
		}})
	}
	return lies
}

// readWord says that something else was read, and has the server answer.
func readWord(word func(*wire) uint64) func(*lyingClient) error {
	return func(l *lyingClient) error {
		l.mine.read.Store(word(l.wire))
		if err := l.send(msgResolve, encode(resolve{ID: 1, Method: "lie.add"})); err != nil {
			return err
		}
		<-l.over
		return errEnded
	}
}

// strangeReplies are the same from a server, while a call waits.
var strangeReplies = func() (lies []serverLie) {
	for _, a := range wordLies {
		lies = append(lies, serverLie{name: a.name, do: untilEnd, lie: func(l *lyingServer) error {
			if _, _, err := l.take(); err != nil {
				return err
			}
			return a.lie(l.wire)
		}})
	}
	return append(lies,
		serverLie{name: "closed-and-more", want: partywall.ErrPeerGone, do: untilEnd, lie: func(l *lyingServer) error {
			if _, _, err := l.take(); err != nil {
				return err
			}
			l.mine.closed.Store(1)
			return l.send(msgRing, nil)
		}},
		serverLie{name: "make-again", do: untilEnd, lie: amidstOne(msgMake, binary.LittleEndian.AppendUint64(nil, 4096))},
		serverLie{name: "memory-never-made", do: untilEnd, lie: amidstFiles(frame(msgLent, false, encode(lent{Region: 1})), notMemory)},
	)
}()

// making greets with another answer to the server that asks for memory.
func making(answer func(w *wire, size uint64) error) func(*wire, string) (outcome, error) {
	return func(w *wire, service string) (outcome, error) {
		w.whenToMake = func(size uint64) error { return answer(w, size) }
		if err := w.send(msgHello, encode(hello{Version: ProtocolVersion, Service: service})); err != nil {
			return "", err
		}
		return w.verdict()
	}
}

// makingOf answers with what open opens.
func makingOf(open func(size int64) (*os.File, error)) func(*wire, string) (outcome, error) {
	return making(func(w *wire, size uint64) error {
		f, err := open(int64(size))
		if err != nil {
			return err
		}
		return w.raw(frame(msgMake, false, nil), f)
	})
}

// makingHandle answers with a number.
func makingHandle(number uint64) func(*wire, string) (outcome, error) {
	return making(func(w *wire, _ uint64) error { return w.rawHandle(frame(msgMake, false, nil), number) })
}

// makeLies are answers to a server that asks for the memory of the control region.
var makeLies = []clientLie{
	{name: "make-none", want: turnedAway, greet: making(func(w *wire, _ uint64) error { return w.send(msgMake, []byte(ugly)) })},
	{name: "make-handle-this-process", want: turnedAway, greet: makingHandle(math.MaxUint64)},
	{name: "make-handle-odd", want: turnedAway, greet: makingHandle(0x41)},
	{name: "make-handle-unused", want: turnedAway, greet: makingHandle(0x7ffffff0)},
	{name: "make-event", want: turnedAway, greet: makingOf(func(int64) (*os.File, error) { return notMemory() })},
	{name: "make-smaller", want: turnedAway, greet: makingOf(func(size int64) (*os.File, error) { return lendable(size - 4096) })},
	{name: "make-larger", want: turnedAway, greet: makingOf(func(size int64) (*os.File, error) { return lendable(size + 4096) })},
	{name: "make-reserved", want: turnedAway, greet: makingOf(func(size int64) (*os.File, error) { return reservedOnly(size)() })},
	{name: "make-another-message", want: turnedAway, greet: making(func(w *wire, _ uint64) error { return w.send(msgHello, nil) })},
	{name: "make-in-pages-without-end", want: turnedAway, greet: making(func(w *wire, _ uint64) error {
		for {
			if err := w.raw(frame(msgMake, true, make([]byte, framePayload))); err != nil {
				return nil
			}
		}
	})},
	{name: "make-stalls", want: turnedAway, cause: os.ErrDeadlineExceeded, greet: making(func(*wire, uint64) error { return nil })},
	{name: "make-signals-instead", want: turnedAway, cause: os.ErrDeadlineExceeded, greet: making(func(w *wire, _ uint64) error {
		for w.theirs.closed.Load() == 0 {
			if err := w.signal(); err != nil {
				return err
			}
		}
		return nil
	})},
	{name: "make-and-gone", want: ended, cause: partywall.ErrPeerGone, greet: func(w *wire, service string) (outcome, error) {
		asked := make(chan struct{})
		w.whenToMake = func(uint64) error { close(asked); return nil }
		if err := w.send(msgHello, encode(hello{Version: ProtocolVersion, Service: service})); err != nil {
			return "", err
		}
		go w.receive()
		<-asked
		return ended, w.hangUp()
	}},
	{name: "make-twice", greet: func(w *wire, service string) (outcome, error) {
		w.whenToMake = func(size uint64) error {
			for range 2 {
				f, err := lendable(int64(size))
				if err != nil {
					return err
				}
				if err := w.raw(frame(msgMake, false, nil), f); err != nil {
					return err
				}
			}
			return nil
		}
		if err := w.send(msgHello, encode(hello{Version: ProtocolVersion, Service: service})); err != nil {
			return "", err
		}
		for {
			if m, err := w.receive(); err != nil {
				return outcomeOf(err), nil
			} else if m.kind == msgRefuse {
				return turnedAway, nil
			} else {
				fmt.Println("log message", m.kind)
			}
		}
	}},
}
