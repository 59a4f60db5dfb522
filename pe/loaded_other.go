//go:build !windows

package pe

import (
	"fmt"
	"runtime"

	"github.com/partywall/partywall"
)

func loaded(uintptr) (*File, error) {
	return nil, fmt.Errorf("%w: %s has no loaded PE modules", partywall.ErrNotSupported, runtime.GOOS)
}
