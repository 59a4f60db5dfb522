//go:build !linux && !windows

package peer

import (
	"fmt"
	"runtime"
	"strconv"
	"syscall"

	"github.com/partywall/partywall"
)

// OfSocket is not there yet on this system.
func OfSocket(syscall.Conn) (Identity, error) {
	return Identity{}, fmt.Errorf("%w: peer credentials on %s", partywall.ErrNotSupported, runtime.GOOS)
}

func (id Identity) user() string { return strconv.Itoa(id.UID) }

func (id Identity) checkSameSession() error { return nil }

func (id Identity) checkSameUser() error {
	return fmt.Errorf("%w: peer credentials on %s", partywall.ErrNotSupported, runtime.GOOS)
}
