package document_test

import (
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/partywall/partywall/internal/document"
)

type benchQuery struct {
	Text  string
	Limit int
	Tags  []string       `cbor:"tags,omitempty"`
	Attrs map[string]int `cbor:"attrs,omitempty"`
}

var benchValues = []struct {
	name string
	v    any
	into func() any
}{
	{"small", benchQuery{"wall", 10, []string{"a", "b"}, nil}, func() any { return new(benchQuery) }},
	{"map", benchQuery{Attrs: map[string]int{"a": 1, "b": 2, "c": 3, "d": 4}}, func() any { return new(benchQuery) }},
	{"any", []any{1, "a", map[string]any{"b": 1.5}}, func() any { return new(any) }},
	{"integers", make([]int64, 10000), func() any { return new([]int64) }},
	{"structs", make([]benchQuery, 1000), func() any { return new([]benchQuery) }},
	{"bytes", make([]byte, 1<<20), func() any { return new([]byte) }},
}

func BenchmarkMarshal(b *testing.B) {
	for _, bb := range benchValues {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := document.Marshal(bb.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	for _, bb := range benchValues {
		data, err := document.Marshal(bb.v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := document.Unmarshal(data, bb.into()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the library takes by itself, to compare with.
func BenchmarkLibrary(b *testing.B) {
	core, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		b.Fatal(err)
	}
	decode, err := cbor.DecOptions{MaxArrayElements: 1 << 20}.DecMode()
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range benchValues {
		data, err := core.Marshal(bb.v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("Marshal/"+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := core.Marshal(bb.v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("Unmarshal/"+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := decode.Unmarshal(data, bb.into()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
