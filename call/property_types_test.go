package call

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"pgregory.net/rapid"
)

// A typeSpec describes a Go type, so that two processes can make the same one. It
// travels as JSON.
type typeSpec struct {
	Kind   string // a basic kind, or bytes, time, slice, array, map, pointer, struct
	Len    int
	Key    *typeSpec
	Elem   *typeSpec
	Fields []typeSpec
	Tag    bool // the field of a struct is omitempty
}

var basics = map[string]reflect.Type{}

func init() {
	for _, v := range []any{
		false, int8(0), int16(0), int32(0), int64(0), uint8(0), uint16(0), uint32(0), uint64(0), float32(0), float64(0),
		complex64(0), complex128(0), 0, uint(0), "",
	} {
		basics[reflect.TypeOf(v).String()] = reflect.TypeOf(v)
	}
	basics["bytes"], basics["time"], basics["any"] = reflect.TypeFor[[]byte](), reflect.TypeFor[time.Time](), reflect.TypeFor[any]()
}

var (
	fixedKinds = []string{"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
		"float32", "float64", "complex64", "complex128"}
	documentKinds = []string{"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
		"float32", "float64", "int", "uint", "string", "bytes", "time", "any"}
	keyKinds = []string{"string", "int64", "uint8"}
)

func (s *typeSpec) goType() reflect.Type {
	switch s.Kind {
	case "slice":
		return reflect.SliceOf(s.Elem.goType())
	case "array":
		return reflect.ArrayOf(s.Len, s.Elem.goType())
	case "map":
		return reflect.MapOf(s.Key.goType(), s.Elem.goType())
	case "pointer":
		return reflect.PointerTo(s.Elem.goType())
	case "struct":
		var fields []reflect.StructField
		for i := range s.Fields {
			f := reflect.StructField{Name: "F" + strconv.Itoa(i), Type: s.Fields[i].goType()}
			if s.Fields[i].Tag {
				f.Tag = reflect.StructTag(fmt.Sprintf(`json:"f%d,omitempty"`, i))
			}
			fields = append(fields, f)
		}
		return reflect.StructOf(fields)
	}
	return basics[s.Kind]
}

func (s *typeSpec) nilable() bool {
	switch s.Kind {
	case "pointer", "slice", "map", "bytes", "any":
		return true
	}
	return false
}

// drawType makes a type up. One that is fixed has a fixed layout.
func drawType(t *rapid.T, fixed bool, depth int) *typeSpec {
	kinds := []string{"array", "struct"}
	if !fixed {
		kinds = []string{"array", "struct", "slice", "map", "pointer"}
	}
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "basic") == 0 {
		if fixed {
			return &typeSpec{Kind: rapid.SampledFrom(fixedKinds).Draw(t, "kind")}
		}
		return &typeSpec{Kind: rapid.SampledFrom(documentKinds).Draw(t, "kind")}
	}
	s := &typeSpec{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	switch s.Kind {
	case "struct":
		for range rapid.IntRange(1, 6).Draw(t, "fields") {
			f := drawType(t, fixed, depth-1)
			f.Tag = !fixed && rapid.Bool().Draw(t, "optional")
			s.Fields = append(s.Fields, *f)
		}
	case "map":
		s.Key = &typeSpec{Kind: rapid.SampledFrom(keyKinds).Draw(t, "key")}
		s.Elem = drawType(t, fixed, depth-1)
	case "pointer":
		// A pointer to what may be nil as well is the same null in a document.
		for s.Elem = drawType(t, fixed, depth-1); s.Elem.nilable(); {
			s.Elem = drawType(t, fixed, depth-1)
		}
	default:
		s.Len = rapid.IntRange(1, 5).Draw(t, "len")
		s.Elem = drawType(t, fixed, depth-1)
	}
	return s
}

// drawValue fills v.
func drawValue(t *rapid.T, v reflect.Value, tagged bool) {
	switch v.Type() {
	case basics["time"]:
		zone := time.FixedZone("", 60*rapid.IntRange(-12*60, 12*60).Draw(t, "zone"))
		v.Set(reflect.ValueOf(time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")).In(zone)))
		return
	case basics["any"]:
		v.Set(reflect.ValueOf(drawAny(t)))
		return
	}
	switch k := v.Kind(); k {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int") >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - v.Type().Bits()))
	case reflect.Float32:
		v.SetFloat(float64(rapid.Float32().Draw(t, "float")))
	case reflect.Float64:
		v.SetFloat(drawFloat(t))
	case reflect.Complex64:
		v.SetComplex(complex(float64(rapid.Float32().Draw(t, "re")), float64(rapid.Float32().Draw(t, "im"))))
	case reflect.Complex128:
		v.SetComplex(complex(rapid.Float64().Draw(t, "re"), rapid.Float64().Draw(t, "im")))
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Array:
		for i := range v.Len() {
			drawValue(t, v.Index(i), false)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			drawValue(t, v.Field(i), v.Type().Field(i).Tag != "")
		}
	default:
		drawReference(t, v, tagged)
	}
}

func drawFloat(t *rapid.T) float64 {
	if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
		return rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}).Draw(t, "float")
	}
	return rapid.Float64().Draw(t, "float")
}

// drawReference fills what may be nil. An empty slice or map behind omitempty is left
// out, and comes back nil: so it is never empty there.
func drawReference(t *rapid.T, v reflect.Value, tagged bool) {
	n := rapid.IntRange(-1, 4).Draw(t, "n")
	if n < 0 || n == 0 && tagged {
		return // nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		drawValue(t, v.Elem(), false)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			drawValue(t, v.Index(i), false)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range n {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			drawValue(t, key, false)
			drawValue(t, elem, false)
			v.SetMapIndex(key, elem)
		}
	}
}

func drawAny(t *rapid.T) any {
	switch rapid.IntRange(0, 6).Draw(t, "any") {
	case 0:
		return rapid.Int64().Draw(t, "int")
	case 1:
		return rapid.String().Draw(t, "text")
	case 2:
		return rapid.Bool().Draw(t, "bool")
	case 3:
		return []byte(rapid.String().Draw(t, "bytes"))
	case 4:
		return []any{drawAny(t), drawAny(t)}
	case 5:
		return map[string]any{rapid.String().Draw(t, "key"): drawAny(t)}
	}
	return rapid.Float64().Draw(t, "float") + 0.5
}
