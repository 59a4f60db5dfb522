package call_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/partywall/partywall/call"
)

// words returns what an error would quote of an output.
func words(t testing.TB, output string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(path, []byte(output), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return call.LastWords(f)
}

func TestStartLastWords(t *testing.T) {
	x := strings.Repeat("x", 200)
	for _, test := range []struct{ what, output, want string }{
		{"nothing", "", ""},
		{"empty lines", "\n \n\t\n", ""},
		{"one line", "one", "one"},
		{"three lines", "one\ntwo\r\n\n  three \n", "one; two; three"},
		{"four lines", "one\ntwo\nthree\nfour\n", "two; three; four"},
		{"no room for a second", "one\n" + x + "\n" + x + "y\n", x + "y"},
		{"room for a second", "one\n" + x + "\n" + x[:94] + "\n", x + "; " + x[:94]},
		{"too long a line", "one\n" + x + x + "\n", x + x[:97] + "..."},
		{"far too long a line", "one\n" + strings.Repeat("é", 10_000), strings.Repeat("é", 148) + "..."},
		{"no text", "a\x00b\x1b[0m\x7f\xff\u009bc\n", "a b [0m ? c"},
	} {
		if got := words(t, test.output); got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

// Whatever a server says, what is quoted is short and can be printed.
func FuzzStartLastWords(f *testing.F) {
	for _, output := range []string{"", "one\ntwo", "\x1b]0;title\a\n", "\xff\xfe", strings.Repeat("é", 4096), strings.Repeat("a\n", 4096)} {
		f.Add([]byte(output))
	}
	f.Fuzz(func(t *testing.T, output []byte) {
		got := words(t, string(output))
		if len(got) > 300 || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	})
}
