package pe

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/partywall/partywall"
)

type pair struct {
	A uint32
	B [3]uint32
	C float64
}

func TestView(t *testing.T) {
	words := make([]uint64, 8)
	m := &Mapped{data: wordBytes(words), own: true}
	n, err := View[atomic.Uint64](m, 8)
	if err != nil {
		t.Fatal(err)
	}
	n.Store(7)
	if words[1] != 7 {
		t.Error(words)
	}
	p, err := View[pair](m, 40)
	if err != nil {
		t.Fatal(err)
	}
	p.C = 1
	if words[7] != 0x3ff0_0000_0000_0000 {
		t.Error(words)
	}
	if b, err := View[[64]uint8](m, 0); err != nil || b[8] != 7 {
		t.Error(b, err)
	}
	if b, err := View[uint8](m, 63); err != nil || *b != 0x3f {
		t.Error(b, err)
	}
}

func TestViewRefuses(t *testing.T) {
	m := &Mapped{data: wordBytes(make([]uint64, 8)), own: true}
	refuses := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, err := View[uint64](m, 57)
	refuses(err, "uint64 at offset 57 has 8 bytes; the section has 64")
	_, err = View[uint64](m, -8)
	refuses(err, "at offset -8")
	_, err = View[uint64](m, math.MaxInt)
	refuses(err, "the section has 64")
	_, err = View[[65]uint8](m, 0)
	refuses(err, "has 65 bytes; the section has 64")
	_, err = View[uint64](m, 4)
	refuses(err, "it has to be a multiple of 8")
	_, err = View[pair](m, 4)
	refuses(err, "it has to be a multiple of 8")
	_, err = View[bool](m, 0)
	refuses(err, "bool: it is a bool")
	_, err = View[struct{ On [2]bool }](m, 0)
	refuses(err, "On is a bool")
	_, err = View[struct {
		A uint8
		B uint16
	}](m, 0)
	refuses(err, "1 bytes of padding")
	_, err = View[complex128](m, 0)
	refuses(err, "it has 16 bytes; numbers of at most 8")
	_, err = View[struct{}](m, 0)
	refuses(err, "it has no bytes")
	_, err = View[*int32](m, 0)
	refuses(err, "a pointer means nothing in another process")
	_, err = View[string](m, 0)
	refuses(err, "a string points outside")
}

func TestImageElsewhere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("this is Windows")
	}
	if m, err := Self(); m != nil || !errors.Is(err, partywall.ErrNotSupported) {
		t.Error(m, err)
	}
	if m, err := LoadShared("x.dll"); m != nil || !errors.Is(err, partywall.ErrNotSupported) || !strings.Contains(err.Error(), "x.dll") {
		t.Error(m, err)
	}
}
