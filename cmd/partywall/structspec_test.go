package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStructLayout(t *testing.T) {
	for _, test := range []struct {
		text   string
		packed bool
		want   string // offsets, and the size
	}{
		{"red:f64=3333,blue:f64=20.01", false, "0 8 16"},
		{"a:i8,b:f64", false, "0 8 16"},
		{"a:f64,b:i8", false, "0 8 16"},
		{"a:i8,b:f64", true, "0 1 9"},
		{"a:u8,b:i16,c:u8,d:i32,e:bool,f:i64,g:u8", false, "0 2 4 8 12 16 24 32"},
		{"a:u8,b:i16,c:u8,d:i32,e:bool,f:i64,g:u8", true, "0 1 3 4 8 9 17 18"},
		{"a:u8,b:f32,c:u8", false, "0 4 8 12"},
		{"a:bytes[3],b:text16[2],c:u8", false, "0 4 8 10"},
		{"a:bool[3],b:i32[2],c:bytes[5]", false, "0 4 12 20"},
		{"one:u8", false, "0 1"},
	} {
		s, err := parseStruct(test.text, test.packed)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		got := ""
		for _, f := range s.fields {
			got += fmt.Sprint(f.offset, " ")
		}
		if got += fmt.Sprint(s.size); got != test.want {
			t.Errorf("%s, packed %v: %s, want %s", test.text, test.packed, got, test.want)
		}
	}
}

func TestStructValues(t *testing.T) {
	for _, test := range []struct{ text, bytes, lines, json string }{
		{"red:f64=3333,blue:f64=20.01", "00000000000aaa40c3f5285c8f023440", "red=3333 (f64)\nblue=20.01 (f64)\n", `{"red":3333,"blue":20.01}`},
		{" a : i8 = -1 , b : u8 = 0xff ", "ffff", "a=-1 (i8)\nb=255 (u8)\n", `{"a":-1,"b":255}`},
		{"z:u64=18446744073709551615", "ffffffffffffffff", "z=18446744073709551615 (u64)\n", `{"z":18446744073709551615}`},
		{"z:i64=-9223372036854775808", "0000000000000080", "z=-9223372036854775808 (i64)\n", `{"z":-9223372036854775808}`},
		{"n:f64=NaN,p:f32=inf,m:f32=-inf", "010000000000f87f0000807f000080ff", "n=NaN (f64)\np=+Inf (f32)\nm=-Inf (f32)\n", `{"n":"NaN","p":"+Inf","m":"-Inf"}`},
		{"z:f64=-0", "0000000000000080", "z=-0 (f64)\n", `{"z":-0}`},
		{"a:f32=0.1,b:f64=1e300", "cdcccc3d000000009c7500883ce4377e", "a=0.1 (f32)\nb=1e+300 (f64)\n", `{"a":0.1,"b":1e+300}`},
		{"name:i32[4]=1;2; -3", "0100000002000000fdffffff00000000", "name=1;2;-3;0 (i32[4])\n", `{"name":[1,2,-3,0]}`},
		{"n:f32[2]=nan;1", "0000c07f0000803f", "n=NaN;1 (f32[2])\n", `{"n":["NaN",1]}`},
		{"b:bool=true,c:bool=0,d:bool=7,e:bool[2]=false;true", "0100070001", "b=true (bool)\nc=false (bool)\nd=7 (bool)\ne=false;true (bool[2])\n", `{"b":true,"c":false,"d":7,"e":[false,true]}`},
		{"t:bytes[5]=hi", "6869000000", "t=\"hi\" (bytes[5])\n", `{"t":"hi"}`},
		{`t:bytes[8]=" a,\"b=",n:u8=1`, "20612c22623d000001", "t=\" a,\\\"b=\" (bytes[8])\nn=1 (u8)\n", `{"t":" a,\"b=","n":1}`},
		{"t:bytes[3]=0x00ff01", "00ff01", "t=0x00ff01 (bytes[3])\n", `{"t":"0x00ff01"}`},
		{`t:bytes[4]="0x41"`, "30783431", "t=\"0x41\" (bytes[4])\n", `{"t":"0x30783431"}`},
		{"t:text16[3]=hé", "6800e9000000", "t=\"hé\" (text16[3])\n", `{"t":"hé"}`},
		{"t:text16[2]=😀", "3dd800de", "t=\"😀\" (text16[2])\n", `{"t":"😀"}`},
		{"t:text16[1]=0x3dd8", "3dd8", "t=0x3dd8 (text16[1])\n", `{"t":"0x3dd8"}`},
		{"t:bytes[2],u:text16[1]=,n:i16", "000000000000", "t=\"\" (bytes[2])\nu=\"\" (text16[1])\nn=0 (i16)\n", `{"t":"","u":"","n":0}`},
	} {
		s, err := parseStruct(test.text, false)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		data := s.bytes()
		if got := hex.EncodeToString(data); got != test.bytes {
			t.Errorf("%s: the bytes are %s, want %s", test.text, got, test.bytes)
		}
		if diff := cmp.Diff(test.lines, s.lines(data)); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
		if got := s.json(data); string(got) != test.json || !json.Valid(got) {
			t.Errorf("%s: %s, want %s", test.text, got, test.json)
		}
	}
}

func TestStructErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `field 1 (""): NAME:TYPE=VALUE is needed, such as red:f64=20.01`,
		"a:u8,":                        `field 2 (""): NAME:TYPE=VALUE is needed, such as red:f64=20.01`,
		"red:f64=1,blue:f65=1":         `field 2 ("blue:f65=1"): unknown type "f65"; types are ` + fieldTypes,
		"red:f64=1,blue=1":             `field 2 ("blue=1"): NAME:TYPE=VALUE is needed, such as red:f64=20.01`,
		"red=a:b":                      `field 1 ("red=a:b"): NAME:TYPE=VALUE is needed, such as red:f64=20.01`,
		":u8=1":                        `field 1 (":u8=1"): it has no name`,
		"a b:u8=1":                     `field 1 ("a b:u8=1"): a name has letters, digits, _, - and . only`,
		"a:u8,b:u8,a:u8":               `field 3 ("a:u8"): there is a field "a" before it`,
		"a:u8=256":                     `field 1 ("a:u8=256"): "256" is not a whole number from 0 to 255`,
		"a:i8=-129":                    `field 1 ("a:i8=-129"): "-129" is not a whole number from -128 to 127`,
		"a:u64=-1":                     `field 1 ("a:u64=-1"): "-1" is not a whole number from 0 to 18446744073709551615`,
		"a:i64=1.5":                    `field 1 ("a:i64=1.5"): "1.5" is not a whole number from -9223372036854775808 to 9223372036854775807`,
		"a:u8=":                        `field 1 ("a:u8="): "" is not a whole number from 0 to 255`,
		"a:f32=1e39":                   `field 1 ("a:f32=1e39"): "1e39" is too large for f32`,
		"a:f64=two":                    `field 1 ("a:f64=two"): "two" is not a number`,
		"a:bool=yes":                   `field 1 ("a:bool=yes"): "yes" is neither true nor false`,
		"a:i32[2]=1;2;3":               `field 1 ("a:i32[2]=1;2;3"): there are 3 values for 2 elements`,
		"a:i32=1;2":                    `field 1 ("a:i32=1;2"): "1;2" is not a whole number from -2147483648 to 2147483647`,
		"a:bytes=x":                    `field 1 ("a:bytes=x"): bytes needs a length, such as bytes[16]`,
		"a:text16":                     `field 1 ("a:text16"): text16 needs a length, such as text16[16]`,
		"a:i32[0]":                     `field 1 ("a:i32[0]"): "i32[0]": a length is a number from 1 to 16777216 in brackets, such as i32[16]`,
		"a:i32[2":                      `field 1 ("a:i32[2"): "i32[2": a length is a number from 1 to 16777216 in brackets, such as i32[16]`,
		"a:i32[-1]=0":                  `field 1 ("a:i32[-1]=0"): "i32[-1]": a length is a number from 1 to 16777216 in brackets, such as i32[16]`,
		"a:i64[4194304]":               `field 1 ("a:i64[4194304]"): with it the struct has 33554432 bytes; at most 16777216 are possible`,
		"a:bytes[2]=abc":               `field 1 ("a:bytes[2]=abc"): the value has 3 bytes, the field has 2`,
		"a:text16[1]=😀":                `field 1 ("a:text16[1]=😀"): the value has 4 bytes, the field has 2`,
		"a:bytes[2]=0x1":               `field 1 ("a:bytes[2]=0x1"): "0x1" is not bytes in hex; a text that begins with 0x stands in quotation marks`,
		`a:u8,b:bytes[9]="x,y:u8=1`:    `field 2 ("b:bytes[9]=\"x,y:u8=1"): its quotation mark is not closed, or is followed by a \ that means nothing`,
		`a:bytes[9]="x" y`:             `field 1 ("a:bytes[9]=\"x\" y"): something follows its closing quotation mark`,
		"a:" + strings.Repeat("x", 99): `field 1 ("a:` + strings.Repeat("x", 58) + `…"): unknown type "` + strings.Repeat("x", 60) + `…"; types are ` + fieldTypes,
	} {
		if _, err := parseStruct(text, false); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}

// goTypes are those whose size and alignment are the same in Go and in C on a 64-bit system.
var goTypes = map[string]reflect.Type{
	"i8": reflect.TypeFor[int8](), "u8": reflect.TypeFor[uint8](), "i16": reflect.TypeFor[int16](), "u16": reflect.TypeFor[uint16](),
	"i32": reflect.TypeFor[int32](), "u32": reflect.TypeFor[uint32](), "i64": reflect.TypeFor[int64](), "u64": reflect.TypeFor[uint64](),
	"f32": reflect.TypeFor[float32](), "f64": reflect.TypeFor[float64](), "bool": reflect.TypeFor[bool](),
	"bytes": reflect.TypeFor[byte](), "text16": reflect.TypeFor[uint16](),
}

// What goes in comes out: any bytes of any struct, written as text, are read back as the same bytes; and
// the layout is the compiler's.
func TestStructProperty(t *testing.T) {
	var kinds []string
	for name := range fieldKinds {
		kinds = append(kinds, name)
	}
	slices.Sort(kinds)
	rapid.Check(t, func(t *rapid.T) {
		packed := rapid.Bool().Draw(t, "packed")
		var declared []string
		var fields []reflect.StructField
		for i := range rapid.IntRange(1, 8).Draw(t, "fields") {
			kind := rapid.SampledFrom(kinds).Draw(t, "kind")
			typ, goType := kind, goTypes[kind]
			if fieldKinds[kind].parse == nil || rapid.Bool().Draw(t, "array") {
				n := rapid.IntRange(1, 6).Draw(t, "length")
				typ, goType = fmt.Sprintf("%s[%d]", kind, n), reflect.ArrayOf(n, goType)
			}
			declared = append(declared, fmt.Sprintf("f%d:%s", i, typ))
			fields = append(fields, reflect.StructField{Name: fmt.Sprint("F", i), Type: goType})
		}
		s, err := parseStruct(strings.Join(declared, ","), packed)
		if err != nil {
			t.Fatal(err)
		}
		if compiled := reflect.StructOf(fields); !packed && reflect.TypeFor[uintptr]().Size() == 8 {
			if s.size != int(compiled.Size()) {
				t.Errorf("%v has %d bytes, the compiler's %d", declared, s.size, compiled.Size())
			}
			for i, f := range s.fields {
				if f.offset != int(compiled.Field(i).Offset) {
					t.Errorf("%v: field %d lies at %d, the compiler's at %d", declared, i, f.offset, compiled.Field(i).Offset)
				}
			}
		}
		data := make([]byte, s.size)
		for i := range s.fields {
			f := &s.fields[i]
			part := f.part(data)
			if rapid.Bool().Draw(t, "text") && f.kind.parse == nil {
				copy(part, f.encode(rapid.String().Draw(t, "value")))
			} else {
				copy(part, rapid.SliceOfN(rapid.Byte(), len(part), len(part)).Draw(t, "bytes"))
			}
			tameNaN(f, part)
		}
		checkRoundTrip(t, s, data, packed)
	})
}

// tameNaN makes each NaN the one that the text NaN stands for.
func tameNaN(f *structField, part []byte) {
	for i, e := range f.elementsOfNumbers(part) {
		if e == "NaN" {
			n, _ := f.kind.parse("NaN")
			for j := range f.kind.size {
				part[i*f.kind.size+j] = byte(n >> (8 * j))
			}
		}
	}
}

func (f *structField) elementsOfNumbers(part []byte) []string {
	if f.kind.parse == nil {
		return nil
	}
	return f.elements(part)
}

// checkRoundTrip: the struct's bytes as text are read as the same bytes, and as JSON they are valid.
func checkRoundTrip(t interface{ Errorf(string, ...any) }, s *structSpec, data []byte, packed bool) {
	var texts []string
	for i := range s.fields {
		f := &s.fields[i]
		texts = append(texts, fmt.Sprintf("%s:%s=%s", f.name, f.typ(), f.text(data)))
	}
	text := strings.Join(texts, ",")
	again, err := parseStruct(text, packed)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	if got := again.bytes(); !slices.Equal(got, data) {
		t.Errorf("%s\n got %x\nwant %x", text, got, data)
	}
	object := map[string]any{}
	if err := json.Unmarshal(s.json(data), &object); err != nil || len(object) != len(s.fields) {
		t.Errorf("%s: %d keys of %d, %v: %s", text, len(object), len(s.fields), err, s.json(data))
	}
	if n := strings.Count(s.lines(data), "\n"); n != len(s.fields) {
		t.Errorf("%d lines of %d fields: %s", n, len(s.fields), s.lines(data))
	}
}

// Whatever is typed, it is a struct whose text is read as the same, or one line says which field is wrong.
func FuzzStruct(f *testing.F) {
	for _, seed := range []string{
		"red:f64=3333,blue:f64=20.01", `t:bytes[8]=" a,\"b=",n:u8=1`, "n:f32[2]=nan;1", "t:text16[3]=hé", "t:bytes[3]=0x00ff01",
		"a:i32[2", "b:bool=7", "a:u8,", `a:bytes[9]="x" y`, "z:f64=0x1p-1074", "p:u64=0b1_0",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, packed bool) {
		s, err := parseStruct(text, packed)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "field ") || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%q: %q", text, err)
			}
			return
		}
		if s.size > 1<<16 {
			return
		}
		data := s.bytes()
		if len(data) != s.size || s.size > math.MaxInt32 {
			t.Fatalf("%d bytes of %d", len(data), s.size)
		}
		checkRoundTrip(t, s, data, packed)
	})
}
