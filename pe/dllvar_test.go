package pe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustVar(t testing.TB, text string) Var {
	t.Helper()
	v, err := ParseVar(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseVar(t *testing.T) {
	for _, test := range []struct {
		text string
		want Var
	}{
		{"SectionA:shareDataA:int32=0:getDataA:setDataA", Var{"SectionA", "shareDataA", Int32, 0, []byte{0, 0, 0, 0}, "getDataA", "setDataA", false}},
		{"s:x:int8", Var{Section: "s", Name: "x", Type: Int8}},
		{"s:x:int8=-1", Var{Section: "s", Name: "x", Type: Int8, Initial: []byte{0xff}}},
		{"s:x:uint16=0x1234:get", Var{Section: "s", Name: "x", Type: Uint16, Initial: []byte{0x34, 0x12}, Getter: "get"}},
		{"s:x:uint64=18446744073709551615::set", Var{Section: "s", Name: "x", Type: Uint64, Initial: []byte{255, 255, 255, 255, 255, 255, 255, 255}, Setter: "set"}},
		{"s:x:int64=-2::", Var{Section: "s", Name: "x", Type: Int64, Initial: []byte{254, 255, 255, 255, 255, 255, 255, 255}}},
		{"s:x:float32=1", Var{Section: "s", Name: "x", Type: Float32, Initial: []byte{0, 0, 0x80, 0x3f}}},
		{"s:x:float64=-1e0", Var{Section: "s", Name: "x", Type: Float64, Initial: []byte{0, 0, 0, 0, 0, 0, 0xf0, 0xbf}}},
		{"s:x:[3]int16=1, -1", Var{Section: "s", Name: "x", Type: Int16, Count: 3, Initial: []byte{1, 0, 255, 255}}},
		{"s:x:[1]int16=7", Var{Section: "s", Name: "x", Type: Int16, Count: 1, Initial: []byte{7, 0}}},
		{"s:x:[3]int16=0x010203", Var{Section: "s", Name: "x", Type: Int16, Count: 3, Initial: []byte{1, 2, 3}}},
		{"s:x:[3]int16=0x01,0x02", Var{Section: "s", Name: "x", Type: Int16, Count: 3, Initial: []byte{1, 0, 2, 0}}},
		{"s:x:bytes[70000]:get", Var{Section: "s", Name: "x", Type: Uint8, Count: 70000, Getter: "get"}},
		{`s:x:bytes[9]="a:\"b\"\n=":get`, Var{Section: "s", Name: "x", Type: Uint8, Count: 9, Initial: []byte("a:\"b\"\n="), Getter: "get"}},
		{`s:x:[2]int8="ab"`, Var{Section: "s", Name: "x", Type: Int8, Count: 2, Initial: []byte("ab")}},
	} {
		got, err := ParseVar(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", test.text, err, diff)
		}
	}
}

func TestParseVarErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "it is not SECTION:NAME:TYPE"},
		{"s:x", "it is not SECTION:NAME:TYPE"},
		{":x:int8", "Section: it is empty"},
		{"s::int8", "Name: it is empty"},
		{"s:x:", `Type: "" is none; there are int8,`},
		{"s:x:int", `Type: "int" is none`},
		{"s:x:[]int8", `Type: "" is no number of elements`},
		{"s:x:[0]int8", `Type: "0" is no number of elements`},
		{"s:x:[3int8", `Type: "" is none`},
		{"s:x:bytes[3", `Type: "bytes[3" is none`},
		{"s:x:bytes", `Type: "bytes" is none`},
		{"s:x:[2147483647]float64", "Count: partywall: too large"},
		{"s:x:int8=", `Initial: "" is no int8: invalid syntax`},
		{"s:x:int8=128", `Initial: "128" is no int8: value out of range`},
		{"s:x:uint8=-1", `Initial: "-1" is no uint8`},
		{"s:x:int8=1.5", `Initial: "1.5" is no int8`},
		{"s:x:float32=1e99", `Initial: "1e99" is no float32: value out of range`},
		{"s:x:int8=1,2", `Initial: "1,2" is no int8`},
		{"s:x:[1]int8=1,2", "Initial: it has 2 bytes, the variable 1"},
		{"s:x:[3]int8=1,,2", `Initial: "" is no int8`},
		{"s:x:[3]int8=0x123", `Initial: "0x123" are not the bytes of an array: encoding/hex: odd length`},
		{`s:x:[3]int8="abc`, "has no closing quote"},
		{`s:x:[3]int16="abc"`, "a text is for int8 and uint8, not for int16"},
		{`s:x:[3]int8="abc"get`, `what is "get"?`},
		{"s:x:int8:a:b:c", `what is ":a:b:c"?`},
		{"s:x:int8:x", `Getter: "x" is exported already, as the variable`},
		{"s:x:int8:g:g", `Setter: "g" is exported already, as the getter of s:x`},
		{"s:x:[2]int8:g:s", "Setter: an array has none"},
		{"s:x:[2]int8:x_size", `Name: "x_size" is exported already, as the getter of s:x`},
		{"s:x y:int8", `Name: "x y": names are printable ASCII without blanks`},
		{"SectionAB:x:int8", `Section: "SectionAB" has 9 bytes; there is room for 8`},
		{".data:x:int8", `Section: ".data" is reserved: linkers and the loader use it themselves`},
		{".debug_x:x:int8", `Section: ".debug_x" is reserved: linkers and debuggers use .debug*`},
		{"/4:x:int8", `Section: "/4": a name that begins with / is a place in the string table`},
	} {
		_, err := ParseVar(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
	}
}

// What ParseVar accepts, a DLL can be made of.
func FuzzParseVar(f *testing.F) {
	for _, text := range []string{
		"SectionA:shareDataA:int32=0:getDataA:setDataA", "s:x:[3]int16=1,-1:get", "s:x:bytes[9]=\"a:b\"::", "s:x:[2]float32=0x00", "s:x:[2147483647]int8",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVar(text)
		if err != nil {
			return
		}
		d := DLL{Name: "x.dll", Vars: []Var{v}}
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		if v.size() < 1<<20 {
			if _, err := d.image(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
