//go:build !linux && !windows

package procmem

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/partywall/partywall"
)

var errSystem = errors.New(runtime.GOOS + " is not among the systems that this package knows")

type system struct{}

func (t *target) openSelf() {}

func (t *target) open() error {
	return fmt.Errorf("%w: memory of process %d: %w", partywall.ErrNotSupported, t.pid, errSystem)
}

func (t *target) move(operation, []byte, uintptr) (int, error) { return 0, errSystem }

func (t *target) classify(error) failure { return unsupported }

func (t *target) ended() bool { return false }

func (t *target) awaitEnd() {}

func (t *target) whyDenied() string { return "" }

func (t *target) alloc(int) (uintptr, error) { return 0, errSystem }

func (t *target) free(uintptr) error { return errSystem }

func (t *target) regions() ([]Region, error) {
	return nil, t.fail(errSystem, fmt.Sprintf("regions of process %d", t.pid))
}

func (t *target) close() error { return nil }
