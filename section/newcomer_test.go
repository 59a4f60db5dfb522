package section_test

import (
	"encoding/binary"
	"testing"

	"github.com/partywall/partywall/section"
)

// The dead holder of the lock had the number that a newcomer would get first.
func TestNewcomerOfADeadHolder(t *testing.T) {
	open[plant](t, "newcomer", section.Keep()).Close()
	const regionLock, held = 136, 1<<16 | 0<<2 | 1 // docs/LAYOUT.md: ticket 1, participant 0, held
	spoil(t, describe(t, "newcomer").File+".1", regionLock, binary.LittleEndian.AppendUint64(nil, held))
	s := open[plant](t, "newcomer")
	if err := s.Store(plant{Jobs: 5}); err != nil {
		t.Fatal(err)
	}
	if v := must(s.Load())(t); v.Jobs != 5 {
		t.Errorf("%+v", v)
	}
	s.Close()
	if err := section.Remove("newcomer"); err != nil {
		t.Error(err)
	}
}
