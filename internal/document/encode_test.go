package document_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

func TestEncoding(t *testing.T) {
	type point struct {
		X, Y int16
		Tags map[string][2]float32 `cbor:"7,keyasint,omitempty"`
		Hash *[4]byte
	}
	want := "pwd\x01" + "\x88" + // 8 nodes
		"\x82\x0d\x84" + // struct of 4 fields
		"\x83\x61X\x01\x00" +
		"\x83\x61Y\x01\x00" +
		"\x83\x617\x02\x03" +
		"\x83\x64Hash\x06\x00" +
		"\x82\x02\x10" + // 1: int16
		"\x83\x0c\x03\x04" + // 2: map
		"\x81\x05" + // 3: string
		"\x83\x0b\x02\x05" + // 4: array of 2
		"\x82\x04\x18\x20" + // 5: float32
		"\x82\x0f\x07" + // 6: nullable
		"\x82\x06\x04" // 7: 4 bytes
	if got := string(typeOf[point](t).Encoded()); got != want {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// parts of encodings, for the table below.
const (
	magic  = "pwd\x01"
	aBool  = "\x81\x01"
	field0 = "\x83\x61A\x01\x00" // field A, of node 1
)

// nested is n arrays of 255 within each other, with a bool at the end.
func nested(n int) string {
	b := magic + string([]byte{0x80 + byte(n+1)})
	for i := range n {
		b += "\x83\x0b\x18\xff" + string([]byte{byte(i + 1)})
	}
	return b + aBool
}

// aStruct is a schema of a struct with these fields, and a bool as node 1.
func aStruct(kind byte, fields ...string) string {
	return magic + "\x82\x82" + string([]byte{kind, 0x80 + byte(len(fields))}) + strings.Join(fields, "") + aBool
}

func name(s string) string {
	if n := len(s); n >= 256 {
		return "\x83\x79" + string([]byte{byte(n >> 8), byte(n)}) + s + "\x01\x00"
	}
	return "\x83" + string([]byte{0x60 + byte(len(s))}) + s + "\x01\x00"
}

var badSchemas = []struct{ name, in, want string }{
	{"empty", "", "it ends too early"},
	{"short", "pwd", "it ends too early"},
	{"only magic", magic, "it ends too early"},
	{"other version", "pwd\x02\x81" + aBool, "it begins with 70776402, not 70776401"},
	{"another schema", "pws\x01\x81" + aBool, "it begins with 70777301, not 70776401"},
	{"no array", magic + "\xa0", "0xa0 stands where major type 4 belongs"},
	{"indefinite", magic + "\x9f\xff", "it has an indefinite length, or the end of one"},
	{"reserved", magic + "\x9c", "no item begins with that byte"},
	{"no nodes", magic + "\x80", "it has no nodes"},
	{"nodes missing", magic + "\x82" + aBool, "2 items do not fit in 2 bytes, or are more than 65536"},
	{"huge count of nodes", magic + "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615 items do not fit in 0 bytes, or are more than 65536"},
	{"too many nodes", magic + "\x9a\x00\x01\x00\x01" + strings.Repeat(aBool, 65537), "65537 items do not fit in 131074 bytes, or are more than 65536"},
	{"long head", magic + "\x98\x01" + aBool, "0x98 stands where major type 4 belongs"},
	{"trailing", magic + "\x81" + aBool + "\x00", "1 bytes follow its end"},
	{"no members", magic + "\x81\x80\x01", "node 0: 0 members do not make a node of bool"},
	{"kind 0", magic + "\x81\x81\x00", "node 0: 1 members do not make a node of kind(0)"},
	{"kind 16", magic + "\x81\x81\x10", "node 0: 1 members do not make a node of kind(16)"},
	{"kind 256", magic + "\x81\x81\x19\x01\x00", "node 0: 256 is more than 255"},
	{"kind cut off", magic + "\x81\x81\x19", "node 0: it ends too early"},
	{"kind is text", magic + "\x81\x81\x60", "node 0: 0x60 stands where major type 0 belongs"},
	{"bool with bits", magic + "\x81\x82\x01\x08", "node 0: 2 members do not make a node of bool"},
	{"int without bits", magic + "\x81\x81\x02\x00", "node 0: 1 members do not make a node of int"},
	{"int7", magic + "\x81\x82\x02\x07", "node 0: int has 7 bits, not 8, 16, 32 or 64"},
	{"uint0", magic + "\x81\x82\x03\x00", "node 0: uint has 0 bits, not 8, 16, 32 or 64"},
	{"float16", magic + "\x81\x82\x04\x10", "node 0: float has 16 bits, not 32 or 64"},
	{"list of nothing", magic + "\x81\x82\x0a\x01", "node 0: its element is node 1 of 1"},
	{"huge index", magic + "\x81\x82\x0a\x1a\xff\xff\xff\xff", "node 0: its element is node 4294967295 of 1"},
	{"index beyond 32 bits", magic + "\x81\x82\x0a\x1b\x00\x00\x00\x01\x00\x00\x00\x00", "node 0: 4294967296 is more than 4294967295"},
	{"map of nothing", magic + "\x81\x83\x0c\x01\x00", "node 0: its key is node 1 of 1"},
	{"map with bool keys", magic + "\x82\x83\x0c\x01\x01" + aBool, "node 0: the key of the map is bool, not string, int or uint"},
	{"nullable itself", magic + "\x81\x82\x0f\x00", "node 0: it is nullable twice"},
	{"nullable ring", magic + "\x82\x82\x0f\x01\x82\x0f\x00", "node 0: it is nullable twice"},
	{"array of itself", magic + "\x81\x83\x0b\x01\x00", "node 0: it has no end, or takes more than 67108864 bytes"},
	{"struct of itself", magic + "\x81\x82\x0d\x81\x83\x61A\x00\x00", "node 0: it has no end, or takes more than 67108864 bytes"},
	{"list of endless", magic + "\x82\x82\x0a\x01\x82\x0e\x81\x83\x61A\x01\x00", "node 1: it has no end, or takes more than 67108864 bytes"},
	{"huge arrays", nested(9), "node 0: it has no end, or takes more than 67108864 bytes"},
	{"huge array", magic + "\x82\x83\x0b\x1a\xff\xff\xff\xff\x01" + aBool, "node 0: it has no end, or takes more than 67108864 bytes"},
	{"huge bytes", magic + "\x81\x82\x06\x1a\xff\xff\xff\xff", "node 0: it has no end, or takes more than 67108864 bytes"},
	{"fields missing", magic + "\x81\x82\x0d\x82" + field0, "node 0: 2 items do not fit in 5 bytes, or are more than 65536"},
	{"huge count of fields", magic + "\x81\x82\x0d\x9a\xff\xff\xff\xff", "node 0: 4294967295 items do not fit in 0 bytes, or are more than 65536"},
	{"short field", aStruct(13, "\x82\x61A\x01\x00"), "node 0: field 0: 2 members do not make a field"},
	{"field of nothing", aStruct(13, "\x83\x61A\x02\x00"), "node 0: field A: its type is node 2 of 2"},
	{"unknown flag", aStruct(13, "\x83\x61A\x01\x04"), "node 0: field 0: 4 is more than 3"},
	{"name cut off", magic + "\x81\x82\x0d\x81\x83\x7a\x00\x01\x00\x00", "node 0: field 0: it ends too early"},
	{"empty name", aStruct(13, "\x83\x60\x18\x18\x00"), "node 0: field 0: the name is empty"},
	{"long name", aStruct(13, name(strings.Repeat("A", 1001))), "node 0: field 0: the name has 1001 bytes, more than 1000"},
	{"bad UTF-8", aStruct(13, name("A\xff")), `node 0: field 0: the name "A\xff" is not valid UTF-8`},
	{"escape", aStruct(13, name("A\x1b[2J")), `node 0: field 0: the name "A\x1b[2J" has '\x1b', which cannot be printed`},
	{"right to left", aStruct(13, name("A\u202e")), `node 0: field 0: the name "A\u202e" has '\u202e', which cannot be printed`},
	{"line break", aStruct(13, name("A\n")), `node 0: field 0: the name "A\n" has '\n', which cannot be printed`},
	{"name twice", aStruct(13, field0, field0), "node 0: field A stands twice"},
	{"name twice of many", aStruct(13, field0, name("1"), name("2"), name("3"), name("4"), name("5"), name("6"), name("7"), name("8"), name("9"), field0), "node 0: field A stands twice"},
	{"key is no number", aStruct(13, "\x83\x61A\x01\x01"), `node 0: field 0: the key "A" is no decimal number of 64 bits`},
	{"key is 01", aStruct(13, "\x83\x6201\x01\x01"), `node 0: field 0: the key "01" is no decimal number of 64 bits`},
	{"key is too large", aStruct(13, "\x83\x739223372036854775808\x01\x01"), `node 0: field 0: the key "9223372036854775808" is no decimal number of 64 bits`},
	{"keyed tuple", aStruct(14, "\x83\x611\x01\x01"), "node 0: field 1: in a tuple it can be neither keyed nor optional"},
	{"optional tuple", aStruct(14, "\x83\x61A\x01\x02"), "node 0: field A: in a tuple it can be neither keyed nor optional"},
	{"over-long", magic + strings.Repeat("\x00", 400<<10), "it has 409604 bytes, more than 409600"},
}

func TestParseSchemaRejects(t *testing.T) {
	for _, tt := range badSchemas {
		t.Run(tt.name, func(t *testing.T) {
			s, err := document.ParseSchema([]byte(tt.in))
			if s != nil || !errors.Is(err, partywall.ErrProtocol) {
				t.Fatalf("got %v, %v", s, err)
			}
			if want := partywall.ErrProtocol.Error() + ": schema: " + tt.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// A schema that no Go type has is well formed all the same.
func TestParseSchemaAccepts(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"key and name", aStruct(13, "\x83\x611\x01\x01", "\x83\x611\x01\x00"), "{1 bool, 1 bool}"},
		{"optional itself", magic + "\x81\x82\x0d\x81\x83\x61A\x00\x02", "{A? ...}"},
		{"array of none of itself", magic + "\x81\x83\x0b\x00\x00", "[0]..."},
		{"out of reach", magic + "\x82" + aBool + aBool, "bool"},
		{"largest array", nested(3), "[255][255][255]bool"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := document.ParseSchema([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Signature(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if b, err := s.MarshalBinary(); err != nil || string(b) != tt.in {
				t.Errorf("got %x, %v", b, err)
			}
		})
	}
}

func TestMarshalRejects(t *testing.T) {
	type node = document.Node
	field := func(name string) []document.Field { return []document.Field{{Name: name}} }
	tests := []struct {
		nodes []node
		want  string
	}{
		{nil, "it has no nodes"},
		{make([]node, 1<<16+1), "65537 nodes are more than 65536"},
		{[]node{{}}, "node 0: unknown kind(0)"},
		{[]node{{Kind: document.Bool, Bits: 8}}, "node 0: bool has 8 bits"},
		{[]node{{Kind: document.String, Len: 1}}, "node 0: string has length 1"},
		{[]node{{Kind: document.List, Key: 1}}, "node 0: list has a key"},
		{[]node{{Kind: document.Int, Bits: 8, Elem: 1}}, "node 0: int has an element"},
		{[]node{{Kind: document.Any, Fields: field("A")}}, "node 0: any has fields"},
		{[]node{{Kind: document.Struct, Fields: make([]document.Field, 1<<16+1)}}, "it has more than 65536 fields"},
		{[]node{{Kind: document.Tuple, Fields: field("")}}, "node 0: field 0: the name is empty"},
		{manyFields(500, 900).Nodes, "it takes 453012 bytes, more than 409600"},
	}
	for _, tt := range tests {
		b, err := (&document.Schema{Nodes: tt.nodes}).MarshalBinary()
		if want := "document: schema to encode: " + tt.want; b != nil || err == nil || err.Error() != want {
			t.Errorf("got %d bytes, %v, want %s", len(b), err, want)
		}
	}
}

// manyFields is a struct of n optional fields with names of the length.
func manyFields(n, length int) *document.Schema {
	s := &document.Schema{Nodes: []document.Node{{Kind: document.Struct}, {Kind: document.Bool}}}
	for i := range n {
		name := strconv.FormatInt(int64(i), 36)
		name = strings.Repeat("-", max(0, length-len(name))) + name
		s.Nodes[0].Fields = append(s.Nodes[0].Fields, document.Field{Name: name, Type: 1, Optional: true})
	}
	return s
}

// The largest schemas: of as many nodes and as many fields as there can be.
func largestSchemas() map[string]*document.Schema {
	bools := &document.Schema{Nodes: make([]document.Node, document.MaxNodes)}
	for i := range bools.Nodes {
		bools.Nodes[i].Kind = document.Bool
	}
	structs := &document.Schema{Nodes: make([]document.Node, 30000)}
	for i := range structs.Nodes {
		fields := []document.Field{{Name: "a", Type: uint32(max(i, 1) - 1), Optional: true}}
		structs.Nodes[i] = document.Node{Kind: document.Struct, Fields: fields}
	}
	return map[string]*document.Schema{
		"bools": bools, "structs": structs, "fields": manyFields(55000, 3), "names": manyFields(400, 1000),
		"lists":  chain(document.MaxNodes-1, document.Node{Kind: document.List}, document.Bool),
		"arrays": chain(document.MaxNodes-1, document.Node{Kind: document.Array, Len: 1}, document.Bool),
	}
}

func TestLargest(t *testing.T) {
	for name, s := range largestSchemas() {
		t.Run(name, func(t *testing.T) {
			b, err := s.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			back, err := document.ParseSchema(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := document.Match(s, back); err != nil {
				t.Error(err)
			}
			if got := back.Signature(); len(got) > 1000 {
				t.Errorf("its signature has %d bytes", len(got))
			}
			if !reflect.DeepEqual(s, back) {
				t.Error("it has changed")
			}
		})
	}
}

// A few bytes must not make the parser reserve memory for many nodes, and many
// nodes no more than the doc comment says.
func TestParseSchemaMemory(t *testing.T) {
	type test struct {
		name  string
		in    []byte
		limit uint64
	}
	tests := []test{
		{"no nodes", []byte(magic + "\x9a\x00\x01\x00\x00" + strings.Repeat("\x00", 100)), 2048},
		{"no fields", []byte(magic + "\x81\x82\x0d\x9a\x00\x01\x00\x00" + strings.Repeat("\x00", 100)), 2048},
	}
	for name, s := range largestSchemas() {
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, test{name, b, 30 * uint64(len(b))})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := allocated(tt.limit, func() {
				_, err := document.ParseSchema(tt.in)
				if fmt.Sprint(err) == "" {
					t.Error("an error without a text")
				}
			})
			t.Logf("%d bytes allocated to parse %d: %.1f times", n, len(tt.in), float64(n)/float64(len(tt.in)))
			if n > tt.limit {
				t.Errorf("%d bytes allocated to parse %d, more than %d", n, len(tt.in), tt.limit)
			}
		})
	}
}

// allocated returns how many bytes f allocates, or how many less than limit. The
// runtime may allocate meanwhile, but not each time.
func allocated(limit uint64, f func()) (n uint64) {
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if n = after.TotalAlloc - before.TotalAlloc; n <= limit {
			break
		}
	}
	return n
}
