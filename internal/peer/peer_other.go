//go:build !linux

package peer

import (
	"fmt"
	"runtime"
	"syscall"

	"github.com/partywall/partywall"
)

// OfSocket is not there yet on this system.
func OfSocket(syscall.Conn) (Identity, error) {
	return Identity{}, fmt.Errorf("%w: peer credentials on %s", partywall.ErrNotSupported, runtime.GOOS)
}
