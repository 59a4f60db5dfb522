package fixed_test

import (
	"errors"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

func schemaOf[T any](tb testing.TB) *fixed.Schema {
	tb.Helper()
	return typeOf[T](tb).Schema()
}

type v1 struct {
	Width, Height uint32
	Depth         [4]uint8
}

func TestMatch(t *testing.T) {
	mine := schemaOf[v1](t)
	narrow := *mine
	narrow.Align = 1
	padded := *mine
	padded.Size += 4

	tests := []struct {
		name         string
		mine, theirs *fixed.Schema
		want         string // after the sentinel's text, or "" for a match
	}{
		{"itself", mine, mine, ""},
		{"another type", mine, schemaOf[struct {
			Width, Height uint32
			Depth         [2][2]byte
		}](t), ""},
		{"align", mine, &narrow, ""},
		{"size", mine, &padded, "the fields are the same, but the size is 12 here and 16 there"},
		{"missing last", mine, schemaOf[struct{ Width, Height uint32 }](t), "field Depth ([4]uint8 at 8) is missing there"},
		{"missing first", mine, schemaOf[struct {
			Height uint32
			Depth  [4]uint8
		}](t), "field Width (uint32 at 0) is missing there"},
		{"extra last", schemaOf[struct{ Width, Height uint32 }](t), mine, "field Depth ([4]uint8 at 8) is extra there"},
		{"extra middle", mine, schemaOf[struct {
			Width, Stride, Height uint32
			Depth                 [4]uint8
		}](t), "field Stride (uint32 at 4) is extra there"},
		{"renamed", mine, schemaOf[struct {
			Width, Heigth uint32
			Depth         [4]uint8
		}](t), "field Height (uint32 at 4) is missing there"},
		{"kind", mine, schemaOf[struct {
			Width  uint32
			Height int32
			Depth  [4]uint8
		}](t), "field Height: kind is uint32 here and int32 there"},
		{"count", mine, schemaOf[struct {
			Width, Height uint32
			Depth         [8]uint8
		}](t), "field Depth: count is 4 here and 8 there"},
		{"offset", mine, schemaOf[struct {
			Width  uint32
			_      uint32
			Height uint32
			Depth  [4]uint8
		}](t), "field Height: offset is 4 here and 8 there"},
		{"order", mine, schemaOf[struct {
			Height, Width uint32
			Depth         [4]uint8
		}](t), "field Width: offset is 0 here and 4 there"},
		{"element size", mine, &fixed.Schema{Size: 12, Align: 4, Fields: []fixed.Field{{"Width", fixed.Uint32, 0, 8, 1}}},
			"field Width: size is 4 here and 8 there"},
		{"moved behind an extra at the same place", schemaOf[struct {
			A uint8
			B uint16
		}](t), &fixed.Schema{Size: 4, Align: 2, Fields: []fixed.Field{
			{"B", fixed.Uint16, 0, 2, 1}, {"A", fixed.Uint8, 3, 1, 1},
		}}, "field A: offset is 0 here and 3 there"},
		{"bare", schemaOf[[3]int16](t), schemaOf[[4]int16](t), "the value: count is 3 here and 4 there"},
		{"bare and struct", schemaOf[int32](t), schemaOf[struct{ X int32 }](t), "the value (int32 at 0) is missing there"},
		{"empty and bare", schemaOf[empty](t), schemaOf[int32](t), "the value (int32 at 0) is extra there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := fixed.Match(tt.mine, tt.theirs)
			if tt.want == "" {
				if err != nil || tt.mine.Hash() != tt.theirs.Hash() {
					t.Fatalf("%v; hashes %#x and %#x", err, tt.mine.Hash(), tt.theirs.Hash())
				}
				return
			}
			if !errors.Is(err, partywall.ErrLayout) {
				t.Fatalf("got %v", err)
			}
			if want := partywall.ErrLayout.Error() + ": " + tt.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			if fixed.Match(tt.theirs, tt.mine) == nil {
				t.Error("it matches the other way round")
			}
		})
	}
}

// For schemas that are not well formed Match still has to say something.
func TestMatchIllFormed(t *testing.T) {
	twice := &fixed.Schema{Fields: []fixed.Field{{"A", fixed.Int8, 0, 1, 1}, {"A", fixed.Int8, 0, 1, 1}}}
	once := &fixed.Schema{Fields: twice.Fields[:1]}
	for _, err := range []error{fixed.Match(twice, once), fixed.Match(once, twice)} {
		if !errors.Is(err, partywall.ErrLayout) {
			t.Errorf("got %v", err)
		}
	}
}
