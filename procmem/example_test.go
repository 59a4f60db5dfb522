//go:build linux || windows

package procmem_test

import (
	"errors"
	"fmt"

	"github.com/partywall/partywall/procmem"
)

// A plain access to memory that is not there ends the program. This is an error.
func ExampleSelf() {
	_, err := procmem.Load[uint64](procmem.Self(), 8)
	fmt.Println(errors.Is(err, procmem.ErrUnmapped))
	// Output: true
}
