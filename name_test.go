package partywall_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/partywall/partywall"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{
		"a", "z", "0", "9", ".", "_", "-", "/",
		"compare/imaging", "a.b_c-d/0", "..", "/etc/passwd", "//",
		strings.Repeat("x", partywall.MaxName),
	} {
		if err := partywall.CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, test := range []struct{ name, says string }{
		{"", "empty"},
		{strings.Repeat("x", partywall.MaxName+1), "101 bytes"},
		{strings.Repeat("é", partywall.MaxName), "200 bytes"},
		{"A", `'A' at byte 0`},
		{"a b", `' ' at byte 1`},
		{"a\x00", `'\x00' at byte 1`},
		{"a\nb", `'\n' at byte 1`},
		{"ab\\c", `'\\' at byte 2`},
		{"ab:c", `':' at byte 2`},
		{"caf\u00e9", `at byte 3`},
		{"\xff", `at byte 0`},
		{"`", "'`' at byte 0"},
		{"{", `'{' at byte 0`},
		{"@", `'@' at byte 0`},
		{",", `',' at byte 0`},
	} {
		err := partywall.CheckName(test.name)
		if !errors.Is(err, partywall.ErrName) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v; want it to say %q", test.name, err, test.says)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"", "a", "compare/imaging", "A", "a b", "caf\u00e9", "\xff", "\x00", strings.Repeat("x", 100), strings.Repeat("x", 101), strings.Repeat("\u20ac", 40)} {
		f.Add(seed)
	}
	const legal = "abcdefghijklmnopqrstuvwxyz0123456789._-/"
	f.Fuzz(func(t *testing.T, name string) {
		want := name != "" && len(name) <= 100 && strings.Trim(name, legal) == ""
		err := partywall.CheckName(name)
		if (err == nil) != want {
			t.Fatalf("%q: %v", name, err)
		}
		if err == nil {
			return
		}
		// The text is fit for a terminal, whatever the name.
		if text := err.Error(); !errors.Is(err, partywall.ErrName) || len(text) > 500 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("%q: %q", name, text)
		}
	})
}

// The sentinels are different, and each says whose it is.
func TestErrors(t *testing.T) {
	all := []error{
		partywall.ErrName, partywall.ErrNotFound, partywall.ErrRunning, partywall.ErrPeerGone, partywall.ErrAccess,
		partywall.ErrTooLarge, partywall.ErrLayout, partywall.ErrVersion, partywall.ErrProtocol, partywall.ErrBusy,
		partywall.ErrShutdown, partywall.ErrNotSupported,
	}
	for i, a := range all {
		if !strings.HasPrefix(a.Error(), "partywall: ") {
			t.Errorf("%q", a)
		}
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v and %v", a, b)
			}
		}
	}
}
