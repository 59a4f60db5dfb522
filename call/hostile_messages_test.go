//go:build linux || windows

package call

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// payload sends one message as it is.
func payload(kind uint8, bytes string) func(*lyingClient) error {
	return func(l *lyingClient) error { return l.send(kind, []byte(bytes)) }
}

// messageLies are lies in the content of messages.
var messageLies = []clientLie{
	{name: "resolve-garbage", lie: payload(msgResolve, "\xff\xfe garbage")},
	{name: "resolve-nothing", lie: payload(msgResolve, "")},
	{name: "resolve-another-type", lie: payload(msgResolve, "\x18\x2a")},
	{name: "resolve-field-of-another-type", lie: payload(msgResolve, "\xa2\x01\x61a\x02\x01")},
	{name: "resolve-deep", lie: payload(msgResolve, "\xa1\x01"+strings.Repeat("\x81", 100_000)+"\x00")},
	{name: "resolve-indefinite", lie: payload(msgResolve, "\xa1\x03\x5f\x41a\xff")},
	{name: "resolve-same-key-twice", lie: payload(msgResolve, "\xa2\x01\x01\x01\x02")},
	{name: "resolve-tag", lie: payload(msgResolve, "\xc1\xa1\x01\x01")},
	{name: "resolve-bad-text", lie: payload(msgResolve, "\xa2\x01\x01\x02\x62\xff\xff")},
	// Lengths that the message does not have.
	{name: "resolve-huge-map", lie: payload(msgResolve, "\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
	{name: "resolve-huge-bytes", lie: payload(msgResolve, "\xa2\x01\x01\x03\x5b\x7f\xff\xff\xff\xff\xff\xff\xff")},
	{name: "resolve-huge-text", lie: payload(msgResolve, "\xa2\x01\x01\x02\x7b\xff\xff\xff\xff\xff\xff\xff\xff")},
	{name: "resolve-huge-array", lie: payload(msgResolve, "\xa2\x01\x01\x03\x9a\x7f\xff\xff\xff")},
	// An honest message about types that the server does not have is answered.
	{name: "resolve-unknown", want: served, lie: func(l *lyingClient) error {
		for _, name := range []string{"", "lie.none", "\x1b[2J", strings.Repeat("x", rendezvous.MaxPayload-1000)} {
			r, err := l.question(name)
			if err == nil && (r.Method != 0 || len(r.Arg) != 0) {
				err = fmt.Errorf("method %.20q is answered with %+v", name, r)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "resolve-wrong-schema", want: served, lie: func(l *lyingClient) error {
		for _, schema := range [][]byte{nil, []byte("garbage"), make([]byte, 500_000)} {
			ask := resolve{ID: 7, Method: "lie.add", Arg: schema, Result: schema}
			if err := l.send(msgResolve, encode(ask)); err != nil {
				return err
			}
			m, err := l.next()
			if err != nil {
				return err
			}
			r, err := decode[resolved](m.payload)
			if err != nil || r.ID != 7 || r.Method == 0 || string(r.Arg) != string(lieAdd.arg.schema) {
				return fmt.Errorf("answer %+v, %w", r, err)
			}
		}
		return nil
	}},

	{name: "lend-garbage", lie: func(l *lyingClient) error { return l.sendWithFile(msgLend, []byte("\xff")) }},
	{name: "unlend-garbage", lie: payload(msgUnlend, "\x61")},
	{name: "cancel-garbage", lie: payload(msgCancel, "\xff")},
	{name: "cancel-slot-one-too-many", lie: payload(msgCancel, string(encode(cancellation{Slot: maxSlots})))},
	{name: "cancel-slot-huge", lie: payload(msgCancel, string(encode(cancellation{Slot: math.MaxUint32})))},
	// A cancellation of what does not run cancels nothing.
	{name: "cancel-flood", want: served, lie: func(l *lyingClient) error {
		for range 20_000 / ease {
			c := cancellation{Slot: rand.Uint32N(maxSlots), Seq: rand.Uint32N(4)}
			if err := l.send(msgCancel, encode(c)); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "ring-flood", want: served, lie: func(l *lyingClient) error {
		for range 50_000 / ease {
			if err := l.ring(); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "ring-with-content", lie: payload(msgRing, "ding")},
	{name: "ring-with-much-content", lie: payload(msgRing, strings.Repeat("ding", 100_000))},

	{name: "kind-zero", lie: payload(0, "")},
	{name: "kind-unknown", lie: payload(msgBye+1, "")},
	{name: "kind-255", lie: payload(255, "")},
	{name: "kind-hello-again", lie: func(l *lyingClient) error {
		return l.send(msgHello, encode(hello{Version: ProtocolVersion, Service: "victim"}))
	}},
	{name: "kind-of-servers-welcome", lie: func(l *lyingClient) error { return l.send(msgWelcome, encode(l.welcome)) }},
	{name: "kind-of-servers-resolved", lie: payload(msgResolved, string(encode(resolved{ID: 1, Method: 1})))},
	{name: "kind-of-servers-lent", lie: payload(msgLent, string(encode(lent{Region: 1})))},
	{name: "kind-of-servers-bye", lie: payload(msgBye, "")},

	// One who does not read what it asked for: its own conn waits, and ends.
	{name: "never-reads", cause: os.ErrDeadlineExceeded, lie: func(l *lyingClient) error {
		ask := encode(resolve{ID: 1, Method: "none"})
		if err := l.deafen(); err != nil {
			return err
		}
		for {
			if err := l.send(msgResolve, ask); err != nil {
				return err
			}
		}
	}},
}

// frameOf is a frame with a header of one's own.
func frameOf(header [4]byte, length uint32, payload int) []byte {
	f := binary.LittleEndian.AppendUint32(header[:], length)
	return append(f, make([]byte, payload)...)
}

func rawly(frames ...[]byte) func(*lyingClient) error {
	return func(l *lyingClient) error {
		for _, f := range frames {
			if err := l.raw(f); err != nil {
				return err
			}
		}
		return nil
	}
}

// frameLies are lies in the form of messages.
var frameLies = []clientLie{
	{name: "frame-one-too-long", lie: rawly(frame(msgResolve, false, make([]byte, framePayload+1)))},
	{name: "frame-oversized", lie: rawly(frame(msgResolve, false, make([]byte, 64<<10)))},
	{name: "frame-cut-to-fit", lie: rawly(frameOf([4]byte{msgResolve}, framePayload, 64<<10))},
	{name: "frame-one-byte", lie: rawly([]byte{msgRing})},
	{name: "frame-half-a-header", lie: rawly([]byte{msgRing, 0, 0, 0, 0, 0, 0})},
	{name: "frame-length-too-large", lie: rawly(frameOf([4]byte{msgRing}, 1, 0))},
	{name: "frame-length-too-small", lie: rawly(frameOf([4]byte{msgRing}, 0, 1))},
	{name: "frame-length-huge", lie: rawly(frameOf([4]byte{msgRing}, math.MaxUint32, 0))},
	{name: "frame-length-wraps", lie: rawly(frameOf([4]byte{msgRing}, math.MaxUint32-frameHeader+1, 0))},
	{name: "frame-unknown-flag", lie: rawly(frameOf([4]byte{msgRing, 2}, 0, 0))},
	{name: "frame-reserved-byte", lie: rawly(frameOf([4]byte{msgRing, 0, 0, 1}, 0, 0))},
	{name: "page-of-another-kind", lie: rawly(frame(msgResolve, true, make([]byte, framePayload)), frame(msgRing, false, nil))},
	{name: "pages-without-end", lie: func(l *lyingClient) error {
		for {
			if err := l.raw(frame(msgResolve, true, make([]byte, framePayload))); err != nil {
				return err
			}
		}
	}},
	// Pages of nothing cost the reader a look each, and no memory.
	{name: "pages-of-nothing", want: served, lie: func(l *lyingClient) error {
		for range 20_000 / ease {
			if err := l.raw(frame(msgResolve, true, nil)); err != nil {
				return err
			}
		}
		return nil
	}},
}

// greeting sends a handshake and waits for the victim's word.
func greeting(frames func(service string) [][]byte, files ...func() (*os.File, error)) func(*wire, string) (outcome, error) {
	return func(w *wire, service string) (outcome, error) {
		var opened []*os.File
		for _, open := range files {
			f, err := open()
			if err != nil {
				return "", err
			}
			opened = append(opened, f)
		}
		for _, f := range frames(service) {
			if err := w.raw(f, opened...); err != nil && !errors.Is(err, errEnded) {
				return "", err
			}
			opened = nil
		}
		return w.verdict()
	}
}

func one(kind uint8, payload []byte) func(string) [][]byte {
	return func(string) [][]byte { return [][]byte{frame(kind, false, payload)} }
}

// ofHello is a HELLO, changed.
func ofHello(change func(*hello)) func(string) [][]byte {
	return func(service string) [][]byte {
		h := hello{Version: ProtocolVersion, Service: service}
		change(&h)
		return [][]byte{frame(msgHello, false, encode(h))}
	}
}

// handshakeLies are lies before there is a conn.
var handshakeLies = []clientLie{
	{name: "hello-version-zero", want: turnedAway, cause: partywall.ErrVersion, greet: greeting(ofHello(func(h *hello) { h.Version = 0 }))},
	{name: "hello-version-next", want: turnedAway, cause: partywall.ErrVersion, greet: greeting(ofHello(func(h *hello) { h.Version++ }))},
	{name: "hello-another-service", want: turnedAway, cause: partywall.ErrNotFound, greet: greeting(ofHello(func(h *hello) { h.Service = "other" }))},
	{name: "hello-oversized-service", want: turnedAway, cause: partywall.ErrNotFound, greet: greeting(ofHello(func(h *hello) { h.Service = strings.Repeat("x", 4000) }))},
	{name: "hello-garbage", want: turnedAway, greet: greeting(one(msgHello, []byte("\xff\xff")))},
	{name: "hello-nothing", want: turnedAway, greet: greeting(one(msgHello, nil))},
	{name: "hello-another-kind", want: turnedAway, greet: greeting(one(msgRing, nil))},
	{name: "hello-from-a-server", want: turnedAway, greet: greeting(one(msgWelcome, encode(welcome{Slots: 64})))},
	{name: "hello-with-a-descriptor", want: turnedAway, greet: greeting(ofHello(func(*hello) {}), notMemory)},
	{name: "hello-oversized-frame", want: turnedAway, greet: greeting(one(msgHello, make([]byte, 64<<10)))},
	{name: "hello-pages-without-end", want: turnedAway, greet: greeting(func(string) (frames [][]byte) {
		for range rendezvous.MaxPayload/framePayload + 1 {
			frames = append(frames, frame(msgHello, true, make([]byte, framePayload)))
		}
		return frames
	})},
	{name: "hello-stalls", want: turnedAway, cause: os.ErrDeadlineExceeded, greet: greeting(func(string) [][]byte { return nil })},
	{name: "hello-stalls-halfway", want: turnedAway, cause: os.ErrDeadlineExceeded, greet: greeting(func(string) [][]byte {
		return [][]byte{frame(msgHello, true, []byte("\xa2"))}
	}, notMemory)},
	// The deadline is for the handshake as a whole.
	{name: "hello-drips", want: turnedAway, cause: os.ErrDeadlineExceeded, greet: func(w *wire, _ string) (outcome, error) {
		for {
			if err := w.raw(frame(msgHello, true, nil)); errors.Is(err, errEnded) {
				return w.verdict()
			} else if err != nil {
				return "", err
			}
		}
	}},
	{name: "hello-and-gone", want: ended, cause: partywall.ErrPeerGone, greet: func(w *wire, _ string) (outcome, error) {
		return ended, w.hangUp()
	}},
}
