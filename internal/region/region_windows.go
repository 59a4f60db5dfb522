package region

import (
	"fmt"
	"os"

	"github.com/partywall/partywall"
)

func unsupported() error {
	return fmt.Errorf("%w: regions without a name on Windows", partywall.ErrNotSupported)
}

func create(string, int64, Fill) (*os.File, error) { return nil, unsupported() }
func verify(*os.File, int64) error                 { return unsupported() }
func mapShared(*os.File, int) ([]byte, error)      { return nil, unsupported() }
