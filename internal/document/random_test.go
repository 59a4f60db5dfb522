package document_test

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

var leaves = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](),
	reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](),
	reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[float32](),
	reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](), reflect.TypeFor[[3]byte](),
	reflect.TypeFor[time.Time](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[any](), reflect.TypeFor[level](),
	reflect.TypeFor[inner](), reflect.TypeFor[pair](), reflect.TypeFor[keyed](), reflect.TypeFor[tree](),
	reflect.TypeFor[list](), reflect.TypeFor[shadow](),
}

var keys = []reflect.Type{
	reflect.TypeFor[string](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint64](),
}

// drawType makes any type that can be a document, of at most the given nesting.
func drawType(t *rapid.T, depth int) reflect.Type {
	if depth == 0 {
		return rapid.SampledFrom(leaves).Draw(t, "leaf")
	}
	switch rapid.IntRange(0, 7).Draw(t, "shape") {
	case 0:
		return reflect.SliceOf(drawType(t, depth-1))
	case 1:
		return reflect.ArrayOf(rapid.IntRange(0, 3).Draw(t, "len"), drawType(t, depth-1))
	case 2:
		return reflect.MapOf(rapid.SampledFrom(keys).Draw(t, "key"), drawType(t, depth-1))
	case 3:
		return reflect.PointerTo(drawType(t, depth-1))
	case 4, 5, 6:
		return drawStruct(t, depth)
	}
	return drawType(t, 0)
}

func drawStruct(t *rapid.T, depth int) reflect.Type {
	var fields []reflect.StructField
	for i := range rapid.IntRange(0, 5).Draw(t, "fields") {
		fields = append(fields, drawField(t, i, drawType(t, depth-1)))
	}
	switch rapid.IntRange(0, 8).Draw(t, "more") {
	case 0:
		fields = slices.Insert(fields, 0, reflect.StructField{
			Name: "_", PkgPath: "document_test", Type: reflect.TypeFor[struct{}](), Tag: `cbor:",toarray"`,
		})
	case 1:
		fields = append(fields, reflect.StructField{Name: "Base", Type: reflect.TypeFor[Base](), Anonymous: true})
	case 2:
		fields = append(fields,
			reflect.StructField{Name: "hidden", PkgPath: "document_test", Type: reflect.TypeFor[chan int]()},
			reflect.StructField{Name: "Shown", Type: reflect.TypeFor[int]()})
	}
	return reflect.StructOf(fields)
}

// tags are those that a field may have, in which %d is its number.
var tags = []string{
	``, ``, ``, `cbor:"f%d"`, `json:"f%d"`, `cbor:",omitempty"`, `cbor:"f%d,omitempty"`, `json:"f%d,omitzero"`,
	`cbor:"%d,keyasint"`, `cbor:"-%d,keyasint,omitempty"`, `cbor:"-"`, `json:"-"`, `cbor:"c%d" json:"-"`,
	`cbor:"name"`, `cbor:"Name"`, // of which two in one struct hide each other, or are hidden
}

func drawField(t *rapid.T, i int, typ reflect.Type) reflect.StructField {
	tag := rapid.SampledFrom(tags).Draw(t, "tag")
	if slices.Contains([]byte(tag), '%') {
		tag = fmt.Sprintf(tag, i)
	}
	return reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: typ, Tag: reflect.StructTag(tag)}
}

// drawValue sets v, which is zero, to a value that arrives as it was sent.
func drawValue(t *rapid.T, v reflect.Value, depth int) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(drawTime(t)))
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(rapid.SampledFrom([]netip.Addr{{}, netip.IPv4Unspecified(), netip.MustParseAddr("fe80::1%x")}).Draw(t, "addr")))
		return
	case reflect.TypeFor[level]():
		v.SetInt(rapid.Int64Range(0, 30).Draw(t, "level"))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int") >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - v.Type().Bits()))
	case reflect.Float32:
		v.SetFloat(float64(rapid.Float32().Draw(t, "float32")))
	case reflect.Float64:
		v.SetFloat(drawFloat(t))
	case reflect.String:
		v.SetString(drawString(t))
	case reflect.Interface:
		if x := drawAny(t, depth); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	case reflect.Pointer:
		drawPointer(t, v, depth)
	case reflect.Slice:
		if n := drawLen(t, depth); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		drawElems(t, v, depth)
	case reflect.Array:
		drawElems(t, v, depth)
	case reflect.Map:
		drawMap(t, v, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			sent := f.Tag.Get("cbor") != "-" && (f.Tag.Get("json") != "-" || f.Tag.Get("cbor") != "")
			if !sent || !v.Field(i).CanSet() {
				continue
			}
			drawValue(t, v.Field(i), depth-1)
			if k := f.Type.Kind(); (k == reflect.Slice || k == reflect.Map) && v.Field(i).Len() == 0 && strings.Contains(string(f.Tag), "omitempty") {
				v.Field(i).SetZero() // what is empty is left out, and arrives as nil
			}
		}
	}
}

// drawLen returns how many elements something has, or -1 for nil.
func drawLen(t *rapid.T, depth int) int {
	return rapid.IntRange(-1, max(0, min(3, depth))).Draw(t, "len")
}

func drawElems(t *rapid.T, v reflect.Value, depth int) {
	for i := range v.Len() {
		drawValue(t, v.Index(i), depth-1)
	}
}

func drawMap(t *rapid.T, v reflect.Value, depth int) {
	n := drawLen(t, depth)
	if n >= 0 {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for range n {
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		drawValue(t, key, depth-1)
		drawValue(t, elem, depth-1)
		v.SetMapIndex(key, elem)
	}
}

// drawPointer sets a pointer to nil or to something that is not null in a document.
func drawPointer(t *rapid.T, v reflect.Value, depth int) {
	if !rapid.Bool().Draw(t, "pointer") {
		return
	}
	elem := reflect.New(v.Type().Elem())
	drawValue(t, elem.Elem(), depth-1)
	if at, ok := elem.Interface().(*time.Time); ok && at.IsZero() {
		return
	}
	switch e := elem.Elem(); e.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		if e.IsNil() {
			return
		}
	}
	v.Set(elem)
}

func drawTime(t *rapid.T) time.Time {
	zone := time.FixedZone("z", 60*rapid.IntRange(-23*60, 23*60).Draw(t, "offset"))
	at := time.Unix(rapid.Int64Range(-62000000000, 253000000000).Draw(t, "second"), rapid.Int64Range(0, 999999999).Draw(t, "ns"))
	return rapid.SampledFrom([]time.Time{{}, at.UTC(), at.In(zone)}).Draw(t, "time")
}

func drawFloat(t *rapid.T) float64 {
	f := rapid.Float64().Draw(t, "float64")
	return rapid.SampledFrom([]float64{f, f, math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "float")
}

func drawString(t *rapid.T) string {
	return rapid.StringOfN(rapid.Rune(), 0, 8, -1).Draw(t, "string")
}

// drawAny returns what an any holds when it has arrived.
func drawAny(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 9).Draw(t, "any") {
	case 0:
		return rapid.Bool().Draw(t, "bool")
	case 1:
		return rapid.Int64().Draw(t, "int64")
	case 2:
		return rapid.Uint64Min(math.MaxInt64+1).Draw(t, "uint64")
	case 3:
		return drawFloat(t)
	case 4:
		return drawString(t)
	case 5:
		return rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "bytes")
	case 6:
		l := make([]any, max(0, drawLen(t, depth)))
		for i := range l {
			l[i] = drawAny(t, depth-1)
		}
		return l
	case 7:
		m := map[string]any{}
		for range drawLen(t, depth) {
			m[drawString(t)] = drawAny(t, depth-1)
		}
		return m
	}
	return nil
}
