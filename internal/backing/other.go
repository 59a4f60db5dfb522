//go:build !linux && !windows

package backing

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/partywall/partywall"
)

func unsupported() error {
	return fmt.Errorf("%w: sections on %s", partywall.ErrNotSupported, runtime.GOOS)
}

func tryLock(*os.File, int64) (bool, error) { return false, unsupported() }
func unlock(*os.File, int64)                {}
func locked(*os.File, int64, int64) bool    { return true }
func allocate(*os.File, int64) error        { return unsupported() }
func ownIdentity() (uint64, error)          { return 0, unsupported() }
func alive(uint64) bool                     { return true }

type sleeper struct{}

func newSleeper(string) *sleeper                          { return nil }
func fileSleeper(*os.File) (*sleeper, error)              { return nil, unsupported() }
func (*sleeper) sleep(*atomic.Uint32, uint32, int)        {}
func (*sleeper) wake(*atomic.Uint32, func(int) bool, int) {}
func (*sleeper) wakeOwn(*atomic.Uint32, int)              {}
func (*sleeper) close()                                   {}

func checkPlace(Place) error { return nil }
