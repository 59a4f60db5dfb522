package compare

import (
	"errors"
	"fmt"

	"github.com/partywall/partywall/procmem"
)

// errNotLent: the memory that a request names is not such as a client allocates.
var errNotLent = errors.New("it is not committed, private memory that can be read and written")

// end returns the address behind the span.
func (s Span) end() (uint64, error) {
	end := s.Address + s.Size
	if s.Address == 0 || end < s.Address {
		return 0, fmt.Errorf("%d bytes at %#x: there is no such memory", s.Size, s.Address)
	}
	return end, nil
}

// overlaps reports whether two spans have a byte in common. Both have an end.
func (s Span) overlaps(o Span) bool {
	return s.Address < o.Address+o.Size && o.Address < s.Address+s.Size
}

// checkLent reports whether all of the spans are memory of this process that a client can have
// allocated: not program code, which the system lets a process write to all the same, and not a
// mapped file. Whether a client has allocated it, nobody can tell: this process's own variables
// look the same.
func checkLent(spans ...Span) error {
	regions, err := procmem.Self().Regions()
	if err != nil {
		return err
	}
	for _, s := range spans {
		end, err := s.end()
		if err != nil {
			return err
		}
		at := s.Address
		for _, r := range regions { // in the order of addresses
			if r.Address <= at && at < r.Address+r.Size && lendable(r) {
				at = r.Address + r.Size
			}
		}
		if at < end {
			return fmt.Errorf("%d bytes at %#x: %w", s.Size, s.Address, errNotLent)
		}
	}
	return nil
}

func lendable(r procmem.Region) bool {
	return r.Committed && r.Read && r.Write && !r.Shared && r.Path == ""
}
