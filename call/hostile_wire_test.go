//go:build linux || windows

package call

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// A wire is what joins two processes, without the manners of a rendezvous.Link: it sends
// what it is told to. Each system has one of its own, written from docs/LAYOUT.md.

// outcome is how an attack ends for the liar, as it tells the test.
type outcome string

const (
	ended      outcome = "ended"       // the victim has ended the conn
	served     outcome = "served"      // the victim has gone on, and answers rightly
	turnedAway outcome = "turned away" // the victim has refused the handshake
)

var errEnded = errors.New("the victim has ended the conn")

// outcomeOf is how a script went that returned err.
func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return served
	case errors.Is(err, errEnded):
		return ended
	}
	return outcome(fmt.Sprintf("failed: %v", err))
}

// guard ends a liar's process that its victim, or its own script, hangs. The
// test would wait as long, and its message says less.
func guard() *time.Timer {
	return time.AfterFunc(proctest.Watchdog*2/3, func() {
		fmt.Println("outcome hangs")
		os.Exit(3)
	})
}

const (
	frameHeader  = 8
	framePayload = 4096
)

func frame(kind uint8, more bool, payload []byte) []byte {
	f := []byte{kind, 0, 0, 0}
	if more {
		f[1] = 1
	}
	f = binary.LittleEndian.AppendUint32(f, uint32(len(payload)))
	return append(f, payload...)
}

// send sends a message, in pages if it is long, with descriptors.
func (w *wire) send(kind uint8, payload []byte, files ...*os.File) error {
	for {
		page := payload[:min(len(payload), framePayload)]
		payload = payload[len(page):]
		if err := w.raw(frame(kind, len(payload) > 0, page), files...); err != nil || len(payload) == 0 {
			return err
		}
		files = nil
	}
}

// note is a message that a liar received.
type note struct {
	kind    uint8
	payload []byte
	file    *os.File
}

// verdict waits for the victim's word in the handshake.
func (w *wire) verdict() (outcome, error) {
	m, err := w.receive()
	if errors.Is(err, errEnded) {
		m, err = w.receive() // a reset comes before what is still to be read
	}
	switch {
	case err != nil:
		return outcomeOf(err), nil
	case m.kind == msgRefuse:
		return turnedAway, nil
	}
	return "", fmt.Errorf("message %d in the handshake", m.kind)
}
