package section_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/section"
)

// Memory that has something else is left alone.
func TestViewOfOtherMemory(t *testing.T) {
	g := newGround(t, "view")
	other := bytes.Repeat([]byte("something else! "), viewBytes/16)
	if err := os.WriteFile(g.path, other, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tryOn[plant](t, g, "view"); !errors.Is(err, partywall.ErrProtocol) || !strings.Contains(err.Error(), `"somethin"`) {
		t.Error(err)
	}
	if now, err := os.ReadFile(g.path); err != nil || !bytes.Equal(now, other) {
		t.Error("it was written to", err)
	}
}

func TestViewIsTooSmall(t *testing.T) {
	for _, size := range []int{0, 8, 400, 1 << 10} {
		if _, err := section.Open[medium]("view", section.In(make([]byte, size))); !errors.Is(err, partywall.ErrTooLarge) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// Memory that cannot be written to is an error, and so is what was unmapped.
func TestViewFaults(t *testing.T) {
	g := newGround(t, "view")
	on[plant](t, g, "view").Close()
	f, err := os.Open(g.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := region.MapFile(f, viewBytes, true)
	if err != nil {
		t.Fatal(err)
	}
	// In a build with the race detector it is the detector, in C, that stores a word, and no fault there can be
	// recovered from; it touches the memory before, so that memory which is not there is found out.
	if !raceEnabled {
		if _, err := section.Open[plant]("view", section.In(r.Bytes())); err == nil {
			t.Error("opened in memory that cannot be written to")
		}
	}
	gone := r.Bytes()
	r.Close()
	if _, err := section.Open[plant]("view", section.In(gone)); err == nil {
		t.Error("opened in memory that is not there")
	}
}
