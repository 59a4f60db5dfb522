//go:build !linux && !windows

package region

import (
	"fmt"
	"os"
	"runtime"

	"github.com/partywall/partywall"
)

func unsupported() error {
	return fmt.Errorf("%w: shared regions on %s", partywall.ErrNotSupported, runtime.GOOS)
}

func create(string, int64, Fill) (*os.File, error) { return nil, unsupported() }
func verify(*os.File, int64) error                 { return unsupported() }
func mapShared(*os.File, int) ([]byte, error)      { return nil, unsupported() }
func mapFile(*os.File, int, bool) ([]byte, error)  { return nil, unsupported() }
func unmap([]byte) error                           { return unsupported() }
