package rendezvous

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall"
)

func TestFrames(t *testing.T) {
	longest := strings.Repeat("x", pageSize)
	for _, test := range []struct {
		what, frame string
		ok          bool
	}{
		{"empty payload", "\x0a\x00\x00\x00\x00\x00\x00\x00", true},
		{"payload", "\x01\x00\x00\x00\x03\x00\x00\x00abc", true},
		{"more to come", "\x05\x01\x00\x00\x03\x00\x00\x00abc", true},
		{"longest", "\x05\x00\x00\x00\x00\x10\x00\x00" + longest, true},
		{"kind 0", "\x00\x00\x00\x00\x00\x00\x00\x00", true}, // the layer above knows the kinds
		{"nothing", "", false},
		{"half a header", "\x01\x00\x00\x00\x00\x00\x00", false},
		{"too long", "\x05\x00\x00\x00\x01\x10\x00\x00" + longest + "x", false},
		{"shorter than announced", "\x01\x00\x00\x00\x04\x00\x00\x00abc", false},
		{"longer than announced", "\x01\x00\x00\x00\x02\x00\x00\x00abc", false},
		{"huge", "\x01\x00\x00\x00\xff\xff\xff\xffabc", false},
		{"flag", "\x01\x02\x00\x00\x00\x00\x00\x00", false},
		{"second byte", "\x01\x00\x01\x00\x00\x00\x00\x00", false},
		{"third byte", "\x01\x00\x00\x80\x00\x00\x00\x00", false},
	} {
		kind, more, payload, err := parseFrame([]byte(test.frame))
		if (err == nil) != test.ok || err != nil && !errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("%s: %v", test.what, err)
		}
		if err != nil {
			continue
		}
		if again := append(appendHeader(nil, kind, more, len(payload)), payload...); string(again) != test.frame {
			t.Errorf("%s: comes out as % x", test.what, again[:headerSize])
		}
	}
}

// feed gives the frames to an assembler and returns the messages.
func feed(frames ...string) (messages []string, err error) {
	var a assembler
	for _, f := range frames {
		kind, more, page, err := parseFrame([]byte(f))
		if err != nil {
			return messages, err
		}
		payload, whole, err := a.add(kind, more, page)
		if err != nil {
			return messages, err
		}
		if whole {
			messages = append(messages, string(rune('0'+kind))+string(payload))
		}
	}
	if a.open {
		messages = append(messages, "unfinished")
	}
	return messages, nil
}

func frame(kind uint8, more bool, page string) string {
	return string(appendHeader(nil, kind, more, len(page))) + page
}

func TestAssembler(t *testing.T) {
	for _, test := range []struct {
		what   string
		frames []string
		want   string // messages, or what the error says
		ok     bool
	}{
		{"one", []string{frame(1, false, "a")}, "1a", true},
		{"two", []string{frame(1, false, "a"), frame(2, false, "b")}, "1a 2b", true},
		{"pages", []string{frame(4, true, "a"), frame(4, true, "b"), frame(4, false, "c")}, "4abc", true},
		{"pages twice", []string{frame(4, true, "a"), frame(4, false, "b"), frame(4, true, "c"), frame(4, false, "d")}, "4ab 4cd", true},
		{"empty pages", []string{frame(4, true, ""), frame(4, true, ""), frame(4, false, "")}, "4", true},
		{"unfinished", []string{frame(4, true, "a")}, "unfinished", true},
		{"ring between pages", []string{frame(4, true, "a"), frame(9, false, ""), frame(4, false, "b")}, "9 4ab", true},
		{"long within long", []string{frame(4, true, "a"), frame(5, true, "b")}, "kind 5 within one of kind 4", false},
	} {
		messages, err := feed(test.frames...)
		got := strings.Join(messages, " ")
		if err != nil {
			got = err.Error()
		}
		if (err == nil) != test.ok || test.ok && got != test.want || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q", test.what, got)
		}
		if err != nil && !errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}

// A message may have MaxPayload bytes and none more, and what has been refused is
// not held.
func TestAssemblerIsBounded(t *testing.T) {
	var a assembler
	page := bytes.Repeat([]byte{7}, pageSize)
	for range 2 { // what a message leaves behind does not count for the next
		for i := range MaxPayload / pageSize {
			payload, whole, err := a.add(4, i != MaxPayload/pageSize-1, page)
			if err != nil || whole != (i == MaxPayload/pageSize-1) || whole && len(payload) != MaxPayload {
				t.Fatalf("page %d: %d bytes, %v, %v", i, len(payload), whole, err)
			}
		}
	}
	for range MaxPayload / pageSize {
		if _, _, err := a.add(4, true, page); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, _, err := a.add(4, true, page[:1]); !errors.Is(err, partywall.ErrProtocol) {
			t.Fatalf("one byte more: %v", err)
		}
	}
	if _, whole, err := a.add(4, false, nil); err != nil || !whole {
		t.Fatalf("no byte more: %v, %v", whole, err)
	}
	if c := cap(a.payload); c > 2*MaxPayload {
		t.Errorf("%d bytes are held", c)
	}
}

// Any payload comes out as it went in, in however many pages.
func TestPagingKeepsPayloads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 0, 1000).Draw(t, "payload")
		var frames []string
		for rest := payload; ; {
			n := rapid.IntRange(0, len(rest)).Draw(t, "page")
			if len(rest) == 0 || rapid.Bool().Draw(t, "last") {
				frames = append(frames, frame(3, false, string(rest)))
				break
			}
			frames = append(frames, frame(3, true, string(rest[:n])))
			rest = rest[n:]
		}
		messages, err := feed(frames...)
		if err != nil || len(messages) != 1 || messages[0] != "3"+string(payload) {
			t.Fatalf("%q, %v", messages, err)
		}
	})
}

// FuzzFrames cuts foreign bytes into frames, each behind two bytes of its length,
// and has them parsed and assembled. Its corpus is in testdata.
func FuzzFrames(f *testing.F) {
	f.Fuzz(func(t *testing.T, in []byte) {
		var a assembler
		total := 0
		for len(in) >= 2 {
			n := min(int(in[0])|int(in[1])<<8, len(in)-2)
			kind, more, page, err := parseFrame(in[2 : 2+n])
			in = in[2+n:]
			if err != nil {
				if !errors.Is(err, partywall.ErrProtocol) {
					t.Fatal(err)
				}
				return // as the link does
			}
			if len(page) != n-headerSize || len(page) > pageSize {
				t.Fatalf("a page of %d bytes in a frame of %d", len(page), n)
			}
			payload, whole, err := a.add(kind, more, page)
			switch {
			case err != nil:
				if !errors.Is(err, partywall.ErrProtocol) {
					t.Fatal(err)
				}
				return
			case whole && more, !whole && !more:
				t.Fatalf("whole %v, more %v", whole, more)
			}
			if total += len(page); len(payload) > total {
				t.Fatalf("%d bytes came out of %d", len(payload), total)
			}
		}
		if cap(a.payload) > 2*MaxPayload {
			t.Fatalf("%d bytes are held", cap(a.payload))
		}
	})
}

func TestFileStem(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"a", "b", "a/b", "a.b", "..", "compare/imaging", strings.Repeat("x", 100), strings.Repeat("x", 99)} {
		stem := fileStem(name)
		if other := seen[stem]; other != "" {
			t.Errorf("%q and %q share a file", name, other)
		}
		if seen[stem] = name; len(stem) != 24 || strings.Trim(stem, "0123456789abcdef") != "" {
			t.Errorf("%q becomes %q", name, stem)
		}
	}
	// The first half of SHA-256 of "abc", as FIPS 180-2 gives it: other programs
	// must find the same file.
	if got := fileStem("abc"); got != "ba7816bf8f01cfea414140de" {
		t.Errorf("abc becomes %q", got)
	}
}
