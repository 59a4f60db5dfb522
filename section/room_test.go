package section_test

import (
	"testing"

	"github.com/partywall/partywall/section"
)

// A handle that was there before somebody has asked for more room has that room too.
func TestMoreRoom(t *testing.T) {
	small := open[[]byte](t, "more/room")
	large := make([]byte, 1<<20)
	open[[]byte](t, "more/room", section.MaxSize(len(large)))
	if err := small.Store(large); err != nil {
		t.Fatal(err)
	}
	if got := must(small.Load())(t); len(got) != len(large) {
		t.Errorf("%d bytes", len(got))
	}
}
