//go:build !linux

package rendezvous

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
)

func unsupported() error {
	return fmt.Errorf("%w: finding services on %s", partywall.ErrNotSupported, runtime.GOOS)
}

func listen(string) (*Listener, error)            { return nil, unsupported() }
func dial(context.Context, string) (*Link, error) { return nil, unsupported() }

// A Listener cannot be made on this system.
type Listener struct{}

// Accept is not reached.
func (*Listener) Accept() (*Link, error) { return nil, unsupported() }

// Close is not reached.
func (*Listener) Close() error { return nil }

// A Link cannot be made on this system.
type Link struct{ peer peer.Identity }

// RingWith is not reached.
func (*Link) RingWith(uint8) {}

// Ring is not reached.
func (*Link) Ring() {}

// TrySend is not reached.
func (*Link) TrySend(uint8, []byte) bool { return false }

// Send is not reached.
func (*Link) Send(uint8, []byte, *os.File) error { return unsupported() }

// SetReceiveDeadline is not reached.
func (*Link) SetReceiveDeadline(time.Time) error { return unsupported() }

// Receive is not reached.
func (*Link) Receive() (Message, error) { return Message{}, unsupported() }

// Interrupt is not reached.
func (*Link) Interrupt() {}

// Close is not reached.
func (*Link) Close() error { return nil }

// DirPath is not known on this system.
func DirPath() string { return "" }
