package winmsg

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRefused: the window answered -1, which by the old contract is its word for a request
// that it does not take: a struct that is too short, or an address that is none.
var ErrRefused = errors.New("winmsg: refused")

// Refused is the answer -1.
const Refused = ^uintptr(0)

// An AmbiguousError says that several windows meet the conditions of [Find].
type AmbiguousError struct {
	Wanted  string // what was looked for
	Matches []Info
}

// Error lists the windows.
func (e *AmbiguousError) Error() string {
	const most = 8
	var b strings.Builder
	fmt.Fprintf(&b, "winmsg: %d windows match %s; choose by process, class or image:", len(e.Matches), e.Wanted)
	for i, m := range e.Matches {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(e.Matches)-most)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %v", &m)
	}
	return b.String()
}
