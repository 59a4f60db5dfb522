package fixed_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

func encoded(tb testing.TB, s *fixed.Schema) []byte {
	tb.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func roundTrip(tb testing.TB, s *fixed.Schema) {
	tb.Helper()
	b := encoded(tb, s)
	back, err := fixed.ParseSchema(b)
	if err != nil {
		tb.Fatal(err)
	}
	if len(s.Fields) <= 1000 {
		if diff := cmp.Diff(s, back); diff != "" {
			tb.Fatalf("parsed (-want +got):\n%s", diff)
		}
	}
	if string(encoded(tb, back)) != string(b) {
		tb.Fatal("the parsed schema encodes to other bytes")
	}
	if err := fixed.Match(s, back); err != nil {
		tb.Fatal(err)
	}
	if s.Hash() != back.Hash() {
		tb.Fatal("the parsed schema has another hash")
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, typeOf[frame](t).Schema())
	roundTrip(t, typeOf[flags](t).Schema())
	roundTrip(t, typeOf[empty](t).Schema())
	roundTrip(t, typeOf[blank](t).Schema())
}

func TestEncoding(t *testing.T) {
	want := "pws\x01" + "\x04\x00\x00\x00" + "\x02\x00\x00\x00" + "\x02\x00\x00\x00" +
		"\x00\x00\x00\x00" + "\x01\x00\x00\x00" + "\x03" + "\x01\x00" + "X" +
		"\x02\x00\x00\x00" + "\x01\x00\x00\x00" + "\x03" + "\x01\x00" + "Y"
	got, err := typeOf[point](t).Schema().AppendBinary([]byte("before"))
	if err != nil || string(got) != "before"+want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
}

// field returns one encoded field whose declared path length is honest.
func field(offset, count uint32, kind byte, path string) string {
	b := binary.LittleEndian.AppendUint32(nil, offset)
	b = binary.LittleEndian.AppendUint32(b, count)
	b = binary.LittleEndian.AppendUint16(append(b, kind), uint16(len(path)))
	return string(b) + path
}

func header(size, align, fields uint32) string {
	b := []byte("pws\x01")
	b = binary.LittleEndian.AppendUint32(b, size)
	b = binary.LittleEndian.AppendUint32(b, align)
	return string(binary.LittleEndian.AppendUint32(b, fields))
}

var badSchemas = []struct{ name, in, want string }{
	{"empty", "", "it ends too early"},
	{"short header", header(4, 4, 0)[:15], "it ends too early"},
	{"other version", "pws\x02" + header(4, 4, 0)[4:], "it begins with 70777302, not 70777301"},
	{"too large", header(1<<30+8, 8, 0), "size 1073741832 is more than 1073741824"},
	{"align 0", header(4, 0, 0), "align 0 is not 1, 2, 4 or 8"},
	{"align 3", header(3, 3, 0), "align 3 is not 1, 2, 4 or 8"},
	{"align 16", header(16, 16, 0), "align 16 is not 1, 2, 4 or 8"},
	{"ragged size", header(6, 4, 0), "size 6 is not a multiple of align 4"},
	{"fields missing", header(8, 4, 2) + field(0, 1, 8, "A"), "2 fields do not fit in 12 bytes, or are more than 65536"},
	{"field cut off", header(8, 4, 2) + field(0, 1, 8, "ABCDEFGHIJK") + field(4, 1, 8, "B")[:10], "it ends too early"},
	{"path cut off", header(4, 4, 1) + field(0, 1, 8, "Width")[:13], "it ends too early"},
	{"huge count of fields", header(4, 4, 1<<32-1), "4294967295 fields do not fit in 0 bytes, or are more than 65536"},
	{"trailing", header(4, 4, 1) + field(0, 1, 8, "A") + "\x00", "1 bytes follow its end"},
	{"no kind", header(4, 4, 1) + field(0, 1, 0, "A"), "field 0: unknown kind(0)"},
	{"unknown kind", header(4, 4, 1) + field(0, 1, 14, "A"), "field 0: unknown kind(14)"},
	{"no elements", header(4, 4, 1) + field(0, 0, 8, "A"), "field 0: count is 0"},
	{"empty path", header(8, 4, 2) + field(0, 1, 8, "") + field(4, 1, 8, "B"), "field 0: the path is empty"},
	{"long path", header(4, 4, 1) + field(0, 1, 8, strings.Repeat("A", 1001)), "field 0: the path has 1001 bytes, more than 1000"},
	{"bad UTF-8", header(4, 4, 1) + field(0, 1, 8, "A\xff"), `field 0: path "A\xff" is not valid UTF-8`},
	{"escape", header(4, 4, 1) + field(0, 1, 8, "A\x1b[2J"), `field 0: path "A\x1b[2J" has '\x1b'; only letters, digits and _ . [ ] are allowed`},
	{"right to left", header(4, 4, 1) + field(0, 1, 8, "A\u202e"), `field 0: path "A\u202e" has '\u202e'; only letters, digits and _ . [ ] are allowed`},
	{"path twice", header(8, 4, 2) + field(0, 1, 8, "A") + field(4, 1, 8, "A"), `field 1: path "A" stands twice`},
	{"overlap", header(8, 4, 2) + field(0, 1, 8, "A") + field(2, 1, 8, "B"), "field 1 (B): offset 2 overlaps the field before, which ends at 4"},
	{"same offset", header(8, 4, 2) + field(4, 1, 8, "A") + field(4, 1, 8, "B"), "field 1 (B): offset 4 does not follow 4"},
	{"descending", header(8, 4, 2) + field(4, 1, 8, "A") + field(0, 1, 8, "B"), "field 1 (B): offset 0 does not follow 4"},
	{"beyond size", header(8, 4, 1) + field(4, 2, 8, "A"), "field 0 (A): it ends at 12, beyond size 8"},
	{"overflow", header(8, 4, 1) + field(1<<32-1, 1<<32-1, 13, "A"), "field 0 (A): it ends at 73014444015, beyond size 8"},
	{"over-long", header(8, 4, 0) + strings.Repeat("\x00", 4<<20), "it has 4194320 bytes, more than 4194304"},
}

func TestParseSchemaRejects(t *testing.T) {
	for _, tt := range badSchemas {
		t.Run(tt.name, func(t *testing.T) {
			s, err := fixed.ParseSchema([]byte(tt.in))
			if s != nil || !errors.Is(err, partywall.ErrProtocol) {
				t.Fatalf("got %v, %v", s, err)
			}
			if want := partywall.ErrProtocol.Error() + ": schema: " + tt.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

func TestMarshalRejects(t *testing.T) {
	many := make([]fixed.Field, 5000)
	for i := range many {
		path := strings.Repeat("A", 990) + string(rune('A'+i%26)) + string(rune(0x4e00+i))
		many[i] = fixed.Field{Path: path, Kind: fixed.Int8, Offset: uint32(i), Size: 1, Count: 1}
	}
	tests := []struct {
		s    fixed.Schema
		want string
	}{
		{fixed.Schema{Size: 4}, "align 0 is not 1, 2, 4 or 8"},
		{fixed.Schema{Size: 4, Align: 4, Fields: []fixed.Field{{"A", fixed.Int32, 0, 8, 1}}}, "field 0: size 8 is not that of int32"},
		{fixed.Schema{Size: 4, Align: 4, Fields: make([]fixed.Field, 1<<16+1)}, "65537 fields are more than 65536"},
		{fixed.Schema{Size: 5000, Align: 1, Fields: many}, "it takes 5025016 bytes, more than 4194304"},
	}
	for _, tt := range tests {
		b, err := tt.s.MarshalBinary()
		if want := "fixed: schema to encode: " + tt.want; b != nil || err == nil || err.Error() != want {
			t.Errorf("got %d bytes, %v, want %s", len(b), err, want)
		}
	}
}

// A few bytes must not make the parser reserve memory for many fields, and
// many fields no more than the doc comment says.
func TestParseSchemaMemory(t *testing.T) {
	var many strings.Builder
	many.WriteString(header(1<<16, 1, 1<<16))
	for i := range 1 << 16 {
		many.WriteString(field(uint32(i), 1, 1, fmt.Sprintf("%x", i)))
	}
	tests := []struct {
		name  string
		in    string
		limit uint64
	}{
		{"refused", header(8, 4, 1<<16) + strings.Repeat("\x00", 100), 4096},
		{"most fields", many.String(), 16 * uint64(many.Len())},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			var n uint64
			for range 10 { // the runtime may allocate meanwhile, but not each time
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, err := fixed.ParseSchema(in)
				runtime.ReadMemStats(&after)
				if n = after.TotalAlloc - before.TotalAlloc; n <= tt.limit {
					t.Logf("%d bytes allocated to parse %d (%v)", n, len(in), err)
					return
				}
			}
			t.Errorf("%d bytes allocated to parse %d, more than %d", n, len(in), tt.limit)
		})
	}
}
