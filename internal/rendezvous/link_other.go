//go:build !linux && !windows

package rendezvous

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
	"github.com/partywall/partywall/internal/region"
)

func unsupported() error {
	return fmt.Errorf("%w: finding services on %s", partywall.ErrNotSupported, runtime.GOOS)
}

func listen(Place, string) (*Listener, error)            { return nil, unsupported() }
func dial(context.Context, Place, string) (*Link, error) { return nil, unsupported() }
func names(Place) ([]string, error)                      { return nil, unsupported() }
func tryStartLock(Place, string) (*StartLock, error)     { return nil, unsupported() }
func startingPID(Place, string) int                      { return 0 }

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

// MakeRegion is not reached.
func (*Link) MakeRegion(string, int64) (*region.Region, error) { return nil, unsupported() }

// SendRegion is not reached.
func (*Link) SendRegion(uint8, []byte, *region.Region) error { return unsupported() }

// SetReceiveDeadline is not reached.
func (*Link) SetReceiveDeadline(time.Time) error { return unsupported() }

// Receive is not reached.
func (*Link) Receive() (Message, error) { return Message{}, unsupported() }

// Interrupt is not reached.
func (*Link) Interrupt() {}

// Close is not reached.
func (*Link) Close() error { return nil }

// A StartLock cannot be taken on this system.
type StartLock struct{}

// Note is not reached.
func (*StartLock) Note(int) {}

// Equip is not reached.
func (*StartLock) Equip(*exec.Cmd) error { return unsupported() }

// Log is not reached.
func (*StartLock) Log() (*os.File, error) { return nil, unsupported() }

// LogPath is not reached.
func (*StartLock) LogPath() string { return "" }

// Unlock is not reached.
func (*StartLock) Unlock() error { return nil }

// Leave is not reached.
func (*StartLock) Leave() error { return nil }
