package procmem

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"

	"github.com/partywall/partywall"
)

// An operation is what a transfer does.
type operation bool

const (
	reading operation = false
	writing operation = true
)

func (op operation) String() string {
	if op == writing {
		return "write to"
	}
	return "read of"
}

// A failure is what a system's error means.
type failure int

const (
	failed      failure = iota // nothing that has a name here
	unmapped                   // there is no such memory
	gone                       // the process has ended
	denied                     // the system does not allow it
	unsupported                // the system has no such call
)

// transfer moves len(b) bytes between b and an address of the process.
//
// Systems differ in how much they have moved when they meet memory that is not
// there: all before it, some, or nothing. So what failed is tried again in halves,
// down to a page, since what may be read or written is settled page by page.
func (t *target) transfer(op operation, b []byte, address int64) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	if address < 0 || uint64(address) > math.MaxUint {
		return 0, fmt.Errorf("%w: %v process %d at %#x: a %d-bit program reaches no such address",
			ErrUnmapped, op, t.pid, address, bits.UintSize)
	}
	start := uint(address)
	reach := len(b)
	if room := math.MaxUint - start; uint(reach) > room {
		reach = int(room)
	}
	page := uint(os.Getpagesize())
	for most := reach; n < reach; {
		at := start + uint(n)
		most = min(most, reach-n)
		var k int
		k, err = t.move(op, b[n:n+most], uintptr(at))
		n += k
		if k > 0 {
			continue
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		if t.classify(err) != unmapped {
			break
		}
		inPage := page - at%page
		if uint(most) <= inPage {
			break
		}
		most = int(max(inPage, (uint(most)/2)&^(page-1)))
	}
	if n == len(b) {
		return n, nil
	}
	if n == reach {
		err = errEnd
	}
	return n, t.fail(err, fmt.Sprintf("%v process %d stopped at %#x after %d of %d bytes",
		op, t.pid, start+uint(n), n, len(b)))
}

// errEnd: the range goes on after the last address.
var errEnd = errors.New("the last address")

// fail makes the error of what failed with the system's error err.
func (t *target) fail(err error, what string) error {
	kind := unmapped
	if err != errEnd {
		kind = t.classify(err)
	}
	if kind != unsupported && t.ended() {
		kind = gone
	}
	switch kind {
	case unmapped:
		return fmt.Errorf("%w: %s: %w", ErrUnmapped, what, err)
	case gone:
		return fmt.Errorf("%w: process %d has ended: %s", partywall.ErrPeerGone, t.pid, what)
	case denied:
		return fmt.Errorf("%w: %s: %s: %w", partywall.ErrAccess, what, t.whyDenied(), err)
	case unsupported:
		return fmt.Errorf("%w: %s: %w", partywall.ErrNotSupported, what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
