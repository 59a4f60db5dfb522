package document_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

type target struct {
	I   int8
	U   uint16
	F   float32
	S   string
	B   []byte
	H   [2]byte
	L   []target
	A   [2]int
	M   map[string]int8
	N   map[int8]string
	P   pair
	T   time.Time
	X   level
	Any any
	K   keyed
	Q   *target
	Yes bool
}

// item is a document with one field of a target.
func item(name, value string) string {
	return "\xa1" + string([]byte{0x60 + byte(len(name))}) + name + value
}

func TestUnmarshalRejects(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", "the value: it ends too early"},
		{"cut off", "\xa1", "the value: it ends too early: 1 items do not fit in 0 bytes"},
		{"value cut off", "\xa1\x61I\x18", "field I: it ends too early"},
		{"trailing", "\xa0\x00", "the value: 1 bytes follow the end of the document, which is at 1"},
		{"reserved", item("I", "\x1c"), "field I: no item begins with that byte"},
		{"break", item("I", "\xff"), "field I: it has an indefinite length, or the end of one"},
		{"indefinite map", "\xbf\xff", "the value: it has an indefinite length, or the end of one"},
		{"indefinite list", item("L", "\x9f\xff"), "field L: it has an indefinite length, or the end of one"},
		{"indefinite text", item("S", "\x7f\x61a\xff"), "field S: it has an indefinite length, or the end of one"},
		{"indefinite bytes", item("B", "\x5f\x41a\xff"), "field B: it has an indefinite length, or the end of one"},
		{"another kind", "\x80", "the value: a list stands where a struct belongs"},
		{"int too large", item("I", "\x18\x80"), "field I: an integer stands there that does not fit int8"},
		{"int too small", item("I", "\x38\x80"), "field I: an integer stands there that does not fit int8"},
		{"int is a float", item("I", "\xf9\x3c\x00"), "field I: a float stands where int8 belongs"},
		{"uint too large", item("U", "\x1a\x00\x01\x00\x00"), "field U: an integer stands there that does not fit uint16"},
		{"uint negative", item("U", "\x20"), "field U: a negative integer stands where uint16 belongs"},
		{"float is text", item("F", "\x60"), "field F: a text stands where float32 belongs"},
		{"float32 too large", item("F", "\xfb\x7f\xe0\x00\x00\x00\x00\x00\x00"), "cbor: cannot unmarshal primitives into Go struct field document_test.target.F of type float32 (8.98846567431158E+307 overflows float32)"},
		{"string is bytes", item("S", "\x41a"), "field S: a byte string stands where string belongs"},
		{"string is not UTF-8", item("S", "\x61\xff"), "field S: it is not valid UTF-8"},
		{"string is short", item("S", "\x7b\xff\xff\xff\xff\xff\xff\xff\xffa"), "field S: it ends too early: 18446744073709551615 bytes should follow, and 1 do"},
		{"bytes are a list", item("B", "\x81\x01"), "field B: a list stands where []byte belongs"},
		{"bytes are short", item("B", "\x5a\xff\xff\xff\xff"), "field B: it ends too early: 4294967295 bytes should follow, and 0 do"},
		{"array of bytes is short", item("H", "\x41a"), "field H: 1 bytes stand where 2 belong"},
		{"array of bytes is long", item("H", "\x43abc"), "field H: 3 bytes stand where 2 belong"},
		{"list is a map", item("L", "\xa0"), "field L: a map stands where a list belongs"},
		{"list is short", item("L", "\x82\xa0"), "field L: it ends too early: 2 items do not fit in 1 bytes"},
		{"list is huge", item("L", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), "field L: it ends too early: 18446744073709551615 items do not fit in 0 bytes"},
		{"array is short", item("A", "\x81\x01"), "field A: a list of 1 stands where one of 2 belongs"},
		{"array is empty", item("A", "\x80"), "field A: a list of 0 stands where one of 2 belongs"},
		{"array is long", item("A", "\x83\x01\x01\x01"), "field A: a list of 3 stands where one of 2 belongs"},
		{"tuple is short", item("P", "\x82\x01\x01"), "field P: a list of 2 stands where one of 3 belongs"},
		{"tuple is a struct", item("P", "\xa0"), "field P: a map stands where a tuple belongs"},
		{"tuple field", item("P", "\x83\x01\x60\x60"), "field P.Y: a text stands where int16 belongs"},
		{"map is a list", item("M", "\x80"), "field M: a list stands where a map belongs"},
		{"map is huge", item("M", "\xbb\x7f\xff\xff\xff\xff\xff\xff\xff\x60\x01"), "field M: it ends too early: 9223372036854775807 items do not fit in 2 bytes"},
		{"map key", item("M", "\xa1\x01\x01"), "field M[key]: an integer stands where string belongs"},
		{"map key null", item("M", "\xa1\xf6\x01"), "field M: null stands where a key belongs"},
		{"map key not UTF-8", item("M", "\xa1\x61\xff\x01"), "field M[key]: it is not valid UTF-8"},
		{"map value", item("M", "\xa1\x64a\"\nb\xf4"), `field M["a\"\nb"]: a bool stands where int8 belongs`},
		{"map value of key", item("N", "\xa1\x38\x2a\xf4"), "field N[-43]: a bool stands where string belongs"},
		{"map key twice", item("M", "\xa2\x61a\x01\x61a\x02"), `the key "a" stands twice`},
		{"map key twice, apart", item("M", "\xa3\x61a\x01\x61b\x03\x61a\x02"), `the key "a" stands twice`},
		{"map key twice, another length", item("N", "\xa2\x05\x60\x18\x05\x60"), `the key "5" stands twice`},
		{"name twice", "\xa2\x61I\x01\x61I\x01", `the key "I" stands twice`},
		{"unknown name twice", "\xa2\x61?\x01\x61?\x01", `the key "?" stands twice`},
		{"name not UTF-8", "\xa1\x61\xff\x01", "the value: it is not valid UTF-8"},
		{"name is bytes", "\xa1\x41I\x01", "the value: a byte string stands where a field's name belongs"},
		{"name is a list", "\xa1\x80\x01", "the value: a list stands where a field's name belongs"},
		{"name is huge", "\xa1\x1b\x80\x00\x00\x00\x00\x00\x00\x00\x01", "the value: a key stands there that does not fit int64"},
		{"key twice", item("K", "\xa2\x01\x60\x18\x01\x60"), `the key "1" stands twice`},
		{"negative key", item("K", "\xa1\x26\x01"), "field K.-7: an integer stands where string belongs"},
		{"time is a number", item("T", "\x01"), "field T: an integer stands where time belongs"},
		{"time is nonsense", item("T", "\x61a"), `cbor: cannot set a for time.Time: parsing time "a" as "2006-01-02T15:04:05Z07:00": cannot parse "a" as "2006"`},
		{"text is refused", item("X", "\x62\n?"), `cbor: cannot unmarshal text for *document_test.level: no level: "\n?"`},
		{"bool is a number", item("Yes", "\x01"), "field Yes: an integer stands where bool belongs"},
		{"bool is undefined", item("Yes", "\xf7"), "field Yes: a simple value stands where bool belongs"},
		{"tag", item("I", "\xc1\x01"), "field I: a tag stands where int8 belongs"},
		{"tag in an any", item("Any", "\xc2\x41\x01"), "field Any: a tag stands where any value belongs"},
		{"simple value in an any", item("Any", "\xf8\xff"), "field Any: a simple value stands where any value belongs"},
		{"undefined in an any", item("Any", "\xf7"), "field Any: a simple value stands where any value belongs"},
		{"key in an any", item("Any", "\xa1\x01\x01"), "field Any[key]: an integer stands where a key belongs, and in an any a key is a text"},
		{"key twice in an any", item("Any", "\xa2\x61a\x01\x61a\x02"), `the key "a" stands twice`},
		{"text in an any", item("Any", "\x81\xa1\x61a\x61\xff"), `field Any[0]["a"]: it is not valid UTF-8`},
		{"integer in an any", item("Any", "\x3b\x80\x00\x00\x00\x00\x00\x00\x00"), "field Any: a negative integer stands there that does not fit int64"},
		{"tag in what is ignored", item("?", "\x81\xc1\x01"), "the value: a tag stands where a value belongs"},
		{"text in what is ignored", item("?", "\xa1\x01\x61\xff"), "the value: it is not valid UTF-8"},
		{"ignored is cut off", item("?", "\x5a\x01\x00\x00\x00"), "the value: it ends too early: 16777216 bytes should follow, and 0 do"},
		{"deep list", item("L", strings.Repeat("\x81", 100)+"\x00"), "field L[0]: a list stands where a struct belongs"},
		{"deep any", item("Any", strings.Repeat("\x81", 64)+"\x00"), "field Any" + strings.Repeat("[0]", 30) + "[...]" + strings.Repeat("[0]", 33) + ": it is nested more than 64 deep"},
		{"deep ignored", item("?", strings.Repeat("\x81", 64)+"\x00"), "the value: it is nested more than 64 deep"},
		{"deep struct", strings.Repeat("\xa1\x61Q", 64) + "\xa0", "field Q" + strings.Repeat(".Q", 49) + "..." + strings.Repeat("Q.", 14) + "Q: it is nested more than 64 deep"},
		{"deep keys", item("?", strings.Repeat("\xa1", 64)+"\x00"), "the value: it is nested more than 64 deep"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v target
			err := document.Unmarshal([]byte(tt.in), &v)
			if err == nil {
				t.Fatalf("accepted as %+v", v)
			}
			got := err.Error()
			if strings.Contains(tt.name, "deep") { // where the path is shortened is of no matter here
				got, tt.want = got[strings.LastIndex(got, ": "):], tt.want[strings.LastIndex(tt.want, ": "):]
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if text := err.Error(); strings.ContainsAny(text, "\n\r\x1b") || len(text) > 800 {
				t.Errorf("not one short line: %q", text)
			}
		})
	}
}

// What is unusual, and fine.
func TestUnmarshalAccepts(t *testing.T) {
	tests := []struct {
		name, in string
		want     target
	}{
		{"any order", "\xa2\x61U\x02\x61I\x01", target{I: 1, U: 2}},
		{"long heads", "\xb8\x01\x78\x01I\x1b\x00\x00\x00\x00\x00\x00\x00\x01", target{I: 1}},
		{"an integer for a float", item("F", "\x20"), target{F: -1}},
		{"a float of another size", item("F", "\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00"), target{F: 1.5}},
		{"unknown names", "\xa4\x61?\x80\x05\xa1\x80\x80\x25\xfb\x00\x00\x00\x00\x00\x00\x00\x00\x61I\x01", target{I: 1}},
		{"case matters", "\xa1\x61i\x01", target{}},
		{"as deep as can be", item("Any", strings.Repeat("\x81", 63)+"\x00"), target{Any: deepAny(63)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got target
			if err := document.Unmarshal([]byte(tt.in), &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) { // cmp takes forever on deep slices
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func deepAny(n int) any {
	var v any = int64(0)
	for range n {
		v = []any{v}
	}
	return v
}

func TestUnmarshalNoPointer(t *testing.T) {
	for _, v := range []any{nil, 1, (*int)(nil)} {
		if err := document.Unmarshal([]byte{0}, v); err == nil {
			t.Errorf("%#v: no error", v)
		}
	}
	if err := document.Unmarshal([]byte{0}, new(chan int)); !errors.Is(err, document.ErrNotDocument) {
		t.Errorf("got %v", err)
	}
}

// head is the head of a list of n.
func head(major byte, n int) []byte {
	b, _ := hex.DecodeString(fmt.Sprintf("%02x%08x", major<<5|26, n))
	return b
}

// Documents that ask for much more memory than they have bytes are refused before
// they get any.
func TestUnmarshalMemoryRefused(t *testing.T) {
	const n = 1 << 20
	list := func(elem string) []byte { return append(head(4, n), bytes.Repeat([]byte(elem), n)...) }
	type optional struct {
		Big [1000]int64 `cbor:",omitempty"`
	}
	tests := []struct {
		name string
		in   []byte
		v    any
		want string
	}{
		{"empty arrays", list("\x80"), new([][4]int64), "a list of 0 stands where one of 4 belongs"},
		{"null arrays", list("\xf6"), new([][1000]int64), "would take more than 64 MiB"},
		{"empty structs", list("\xa0"), new([]optional), "would take more than 64 MiB"},
		{"pointers", list("\xa0"), new([]*optional), "would take more than 64 MiB"},
		{"values of a map", append(head(5, n), bytes.Repeat([]byte("\x00\xf6"), n)...), new(map[int][1000]int64), "would take more than 64 MiB"},
		{"embedded pointers", list("\xa1\x61A\x00"), new([]struct{ *Embedded }), "would take more than 64 MiB"},
		{"empty maps in an any", list("\xa0"), new(any), "would take more than 64 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const limit = 1 << 16
			took := allocated(limit, func() {
				err := document.Unmarshal(tt.in, tt.v)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				if strings.Contains(tt.want, "64 MiB") && !errors.Is(err, partywall.ErrTooLarge) {
					t.Errorf("got %v", err)
				}
			})
			if took > limit {
				t.Errorf("%d bytes took %d, more than %d", len(tt.in), took, limit)
			}
		})
	}
}

// Embedded is large, and can be left out but for one byte.
type Embedded struct {
	A   int
	Big [1000]int64 `cbor:",omitempty"`
}

// The estimate of what a value takes is not much less than what it takes: these are
// the documents that ask for the most, and each has to stay below twice its estimate.
func TestUnmarshalMemory(t *testing.T) {
	const n = 1 << 16
	list := func(elem string) []byte { return append(head(4, n), bytes.Repeat([]byte(elem), n)...) }
	mapping := func(key func(i int) []byte) []byte {
		b := head(5, n)
		for i := range n {
			b = append(append(b, key(i)...), 0)
		}
		return b
	}
	number := func(i int) []byte { return append([]byte{0x1a}, byte(i>>24), byte(i>>16), byte(i>>8), byte(i)) }
	text := func(i int) []byte { return fmt.Appendf([]byte{0x65}, "%05x", i) }
	tests := []struct {
		name     string
		in       []byte
		v        any
		estimate uint64 // for each element
	}{
		{"maps", list("\xa0"), new([]map[string]int), 8 + 48},
		{"maps in an any", list("\xa0"), new(any), 16 + 48},
		{"lists in an any", list("\x80"), new(any), 16 + 24},
		{"texts in an any", list("\x61a"), new(any), 16 + 16 + 1},
		{"integers in an any", list("\x19\xff\xff"), new(any), 16 + 8},
		{"nothing in an any", list("\xf6"), new(any), 16},
		{"pointers", list("\x00"), new([]*int64), 8 + 8},
		{"strings", list("\x61a"), new([]string), 16 + 1},
		{"lists", list("\x80"), new([][]int), 24},
		{"a map from numbers", mapping(number), new(map[uint32]int64), 2 * (4 + 8)},
		{"a map from texts", mapping(text), new(map[string]int64), 2*(16+8) + 5},
		{"a map in an any", mapping(text), new(any), 2*(16+16) + 5 + 8},
		{"ignored", append([]byte("\xa1\x61?"), list("\xa0")...), new(Base), 1},
		{"unknown names", mapping(text), new(Base), 128 + 5},
		{"unknown keys", mapping(number), new(Base), 128},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			limit := 2*tt.estimate*n + 1<<18 // and what the runtime takes meanwhile
			took := allocated(limit, func() {
				if err := document.Unmarshal(tt.in, tt.v); err != nil {
					t.Error(err)
				}
			})
			t.Logf("%.1f bytes for each, of an estimated %d", float64(took)/n, tt.estimate)
			if took > limit {
				t.Errorf("%d bytes took %d, more than %d", len(tt.in), took, limit)
			}
		})
	}
}
