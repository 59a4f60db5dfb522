package winapi

import (
	"reflect"
	"testing"
)

// The structs lie as the C compilers of 64-bit Windows lay them out; the numbers are those
// of offsetof and sizeof in mingw's headers.
func TestLayout(t *testing.T) {
	for _, test := range []struct {
		v    any
		size uintptr
		want map[string]uintptr
	}{
		{Msg{}, 48, map[string]uintptr{"Message": 8, "WParam": 16, "LParam": 24, "Time": 32, "X": 36, "Y": 40}},
		{CopyData{}, 24, map[string]uintptr{"Tag": 0, "Size": 8, "Data": 16}},
		{WndClassEx{}, 80, map[string]uintptr{"Style": 4, "WndProc": 8, "ClsExtra": 16, "Instance": 24, "Icon": 32, "Cursor": 40, "Background": 48, "MenuName": 56, "ClassName": 64, "IconSmall": 72}},
		{PaintStruct{}, 72, map[string]uintptr{"Erase": 8, "Rect": 12, "Restore": 28, "IncUpdate": 32, "Reserved": 36}},
	} {
		typ := reflect.TypeOf(test.v)
		if typ.Size() != test.size {
			t.Errorf("%v has %d bytes, want %d", typ, typ.Size(), test.size)
		}
		for name, want := range test.want {
			if f, ok := typ.FieldByName(name); !ok || f.Offset != want {
				t.Errorf("%v.%s lies at %d, want %d", typ, name, f.Offset, want)
			}
		}
	}
}
