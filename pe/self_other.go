//go:build !windows

package pe

import (
	"fmt"
	"runtime"

	"github.com/partywall/partywall"
)

func program() (uintptr, error) {
	return 0, fmt.Errorf("%w: %s has no loaded PE modules", partywall.ErrNotSupported, runtime.GOOS)
}

func loadLibrary(string) (uintptr, error) { return program() }

func freeLibrary(uintptr) error { return nil }

func mappedBytes(uintptr, int) ([]byte, error) {
	_, err := program()
	return nil, err
}
