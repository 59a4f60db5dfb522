package compare

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// The layout is a contract with programs in other languages.
func TestRequestLayout(t *testing.T) {
	request := reflect.TypeFor[PictureRequest]()
	if n := request.Size(); n != requestSize {
		t.Errorf("a request has %d bytes, want %d", n, requestSize)
	}
	for name, want := range map[string]uintptr{"Left": 0, "Right": 16, "Difference": 32, "Pair": 48, "Problem": 84, "Verdict": 336} {
		if f, ok := request.FieldByName(name); !ok || f.Offset != want {
			t.Errorf("%s lies at %d, want %d", name, f.Offset, want)
		}
	}
	if n := reflect.TypeFor[MyInfo]().Size(); n != 16 {
		t.Errorf("MyInfo has %d bytes, want 16", n)
	}
}

func TestProblem(t *testing.T) {
	var r PictureRequest
	for _, text := range []string{"", "short", strings.Repeat("x", 252), strings.Repeat("x", 300), "x" + strings.Repeat("ü", 200), strings.Repeat("ü", 200)} {
		r.setProblem(text)
		got := r.problem()
		if !strings.HasPrefix(text, got) || len(got) < min(len(text), 251) || !utf8.ValidString(got) {
			t.Errorf("%q has become %q", text, got)
		}
	}
	r.Problem = [252]byte{'a', 0xff, 'b'} // what a server says is not believed either
	if got := r.problem(); got != "a?b" {
		t.Errorf("got %q", got)
	}
}
