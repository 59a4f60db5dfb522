package section

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

func TestHolds(t *testing.T) {
	for _, c := range []struct{ types, want string }{
		{"n:uint32", "{n uint32}"},
		{"n:uint8 x:float64 name:[32]uint8", "{n uint8, x float64, name [32]uint8}"},
		{"pos.x:float64 pos.y:float64 n:int8", "{pos {x float64, y float64}, n int8}"},
		{"pos.x:float64 n:int8 pos.y:float64", "{pos {x float64, y float64}, n int8}"},
		{"a.b.c:bool a.b.d:byte a.e:complex64", "{a {b {c bool, d uint8}, e complex64}}"},
		{"ä_1:int16", "{ä_1 int16}"},
	} {
		f, err := parseTypes(strings.Fields(c.types), 0)
		if err != nil {
			t.Errorf("%s: %v", c.types, err)
			continue
		}
		if got := jsonview.FixedSignature(f.fixed); got != c.want {
			t.Errorf("%s: %s", c.types, got)
		}
	}
	if f, err := parseTypes([]string{"bytes"}, 77); err != nil || f.kind != bytesForm || f.capacity != 77 {
		t.Error(f, err)
	}
	for types, want := range map[string]string{
		"":                                  "there is no type",
		"n":                                 `field "n": NAME:TYPE is needed, such as n:uint32`,
		":int8":                             "it has no name",
		"1a:int8":                           `"1a" is no name`,
		"a..b:int8":                         `"" is no name`,
		"a-b:int8":                          `"a-b" is no name`,
		"a[0]:int8":                         `"a[0]" is no name`,
		"n:string":                          "[32]uint8 has room for 32 bytes",
		"n:int":                             "int64 or int32",
		"n:uint33":                          `unknown type "uint33"; types are bool, int8,`,
		"n:":                                `unknown type ""`,
		"n:[0]int8":                         "a length from 1",
		"n:[x]int8":                         "a length from 1",
		"n:[2][2]int8":                      "an array has one length",
		"n:[2":                              "an array has one length",
		"n:[1073741824]int8 m:int8":         "too large",
		"n:[1073741824]complex128":          "too large",
		"n:int8 n:int8":                     "there is a field n before it",
		"n:int8 n.x:int8":                   "there is a field n before it",
		"a.n:int8 a:int8":                   "there is a field a before it",
		"bytes n:int8":                      `field "bytes"`,
		strings.Repeat("a", 2000) + ":int8": "its name has 2000 bytes",
	} {
		_, err := parseTypes(strings.Fields(types), 0)
		if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40s: %v", types, err)
		}
	}
}

// The fields lie where Go lays those of the same struct.
func TestHoldsAsGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var types []string
		var build func(before string, depth int) reflect.Type
		build = func(before string, depth int) reflect.Type {
			var fields []reflect.StructField
			for i := range rapid.IntRange(1, 4).Draw(t, "fields") {
				name := "F" + strings.Repeat("x", i)
				f := reflect.StructField{Name: name}
				switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
				case kind == 0 && depth > 0:
					f.Type = build(before+name+".", depth-1)
				default:
					f.Type = rapid.SampledFrom(scalars).Draw(t, "scalar")
					if kind == 1 {
						f.Type = reflect.ArrayOf(rapid.IntRange(1, 5).Draw(t, "length"), f.Type)
					}
					types = append(types, before+name+":"+f.Type.String())
				}
				fields = append(fields, f)
			}
			return reflect.StructOf(fields)
		}
		want := schemaOf(t, build("", 2))
		got, err := parseTypes(types, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := fixed.Match(got.fixed, want); err != nil || got.fixed.Align != want.Align {
			t.Fatalf("%v: %v", types, err)
		}
	})
}
