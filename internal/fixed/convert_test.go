package fixed_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/partywall/partywall/internal/fixed"
)

func conversion(tb testing.TB, from, to *fixed.Schema) *fixed.Conversion {
	tb.Helper()
	c, err := fixed.NewConversion(from, to)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// An older and a newer program share a section that has the fields of both.
func TestConvert(t *testing.T) {
	section, err := fixed.Union(schemaOf[weather3](t), schemaOf[weather2](t))
	if err != nil {
		t.Fatal(err)
	}
	shared := make([]byte, section.Size)
	v3 := weather3{Temperature: 21.5, Rain: true, Pressure: 1013}
	v3.Stations[0].X, v3.Stations[2].Z = 1, 2
	conversion(t, schemaOf[weather3](t), section).Apply(shared, fixed.Bytes(&v3))

	load := conversion(t, section, schemaOf[weather2](t))
	if load.Missing() || load.Same() {
		t.Errorf("section to weather2: missing %t, same %t", load.Missing(), load.Same())
	}
	var v2 weather2
	load.Receive(fixed.Bytes(&v2), shared)
	want := weather2{Temperature: 21.5, Rain: true}
	want.Stations[0].X = 1
	if v2 != want {
		t.Errorf("got  %+v\nwant %+v", v2, want)
	}

	store := conversion(t, schemaOf[weather2](t), section)
	if !store.Missing() || store.Same() {
		t.Errorf("weather2 to section: missing %t, same %t", store.Missing(), store.Same())
	}
	v2.Rain, v2.Wind[2], v2.Phase, v2.Stations[0].X = false, 3, 4i, 5
	store.Apply(shared, fixed.Bytes(&v2))
	v3.Rain, v3.Stations[0].X = false, 5
	var back weather3
	conversion(t, section, schemaOf[weather3](t)).Receive(fixed.Bytes(&back), shared)
	if back != v3 {
		t.Errorf("weather2 erased what it does not know: got  %+v\nwant %+v", back, v3)
	}
}

func TestConversionSame(t *testing.T) {
	weather := schemaOf[weather1](t)
	narrow, long := *weather, *weather
	narrow.Align = 4
	long.Size += 8
	tests := []struct {
		name          string
		from, to      *fixed.Schema
		same, missing bool
	}{
		{"itself", weather, weather, true, false},
		{"align", weather, &narrow, true, false},
		{"size", weather, &long, false, false},
		{"order", weather, schemaOf[struct {
			Rain        bool
			Temperature float64
		}](t), false, false},
		{"fewer", weather, schemaOf[struct{ Temperature float64 }](t), false, false},
		{"more", schemaOf[struct{ Temperature float64 }](t), weather, false, true},
		{"nothing in common", schemaOf[point](t), weather, false, true},
		{"none", schemaOf[empty](t), schemaOf[empty](t), true, false},
		{"bare", schemaOf[[2][3]int8](t), schemaOf[[6]int8](t), true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := conversion(t, tt.from, tt.to)
			if c.Same() != tt.same || c.Missing() != tt.missing {
				t.Errorf("same %t, missing %t", c.Same(), c.Missing())
			}
			checkConversion(t, c, tt.from, tt.to, bytes.Repeat([]byte{0xa5}, int(tt.to.Size)), bytes.Repeat([]byte{0x5a}, int(tt.from.Size)))
		})
	}
}

// Neither the program's padding gets out nor does that of the section change,
// also if the layouts are equal.
func TestApplyLeavesPadding(t *testing.T) {
	s := schemaOf[padded](t)
	private := bytes.Repeat([]byte{0xff}, int(s.Size))
	shared := make([]byte, s.Size)
	conversion(t, s, s).Apply(shared, private)
	want := make([]byte, s.Size)
	typeOf[padded](t).Publish(want, private)
	if !bytes.Equal(shared, want) {
		t.Errorf("got  %x\nwant %x", shared, want)
	}
}

func TestReceiveNormalisesCommonBools(t *testing.T) {
	type section struct {
		A    uint8
		B, C bool
		D    [2]bool
	}
	type program struct {
		D    [2]bool
		A    uint8
		B, E bool
		C    bool
	}
	c := conversion(t, schemaOf[section](t), schemaOf[program](t))
	for b := range 256 {
		on := b != 0
		shared := bytes.Repeat([]byte{byte(b)}, int(schemaOf[section](t).Size))
		var p program
		c.Receive(fixed.Bytes(&p), shared)
		if want := (program{[2]bool{on, on}, byte(b), on, false, on}); !bytes.Equal(fixed.Bytes(&p), fixed.Bytes(&want)) {
			t.Errorf("%#x: got %x, want %x", b, fixed.Bytes(&p), fixed.Bytes(&want))
		}
		p.E = true
		if c.Receive(fixed.Bytes(&p), shared); !p.E {
			t.Errorf("%#x: a bool that the section lacks changed", b)
		}
	}
}

func TestConversionLengthPanics(t *testing.T) {
	c := conversion(t, schemaOf[weather1](t), schemaOf[weather2](t))
	src, dst := make([]byte, 16), make([]byte, schemaOf[weather2](t).Size)
	for _, n := range []int{0, 15, 17, len(dst)} {
		other := make([]byte, n)
		tail := fmt.Sprintf("they need %d and 16", len(dst))
		for _, tt := range []struct {
			want string
			call func()
		}{
			{fmt.Sprintf("fixed: Apply of a conversion: dst has %d bytes and src %d; %s", len(dst), n, tail), func() { c.Apply(dst, other) }},
			{fmt.Sprintf("fixed: Apply of a conversion: dst has %d bytes and src 16; %s", n+1, tail), func() { c.Apply(append(other, 0), src) }},
			{fmt.Sprintf("fixed: Receive of a conversion: dst has %d bytes and src %d; %s", len(dst), n, tail), func() { c.Receive(dst, other) }},
			{fmt.Sprintf("fixed: Receive of a conversion: dst has %d bytes and src 16; %s", n+1, tail), func() { c.Receive(append(other, 0), src) }},
		} {
			func() {
				defer func() {
					if got := recover(); got != tt.want {
						t.Errorf("panic %v, want %s", got, tt.want)
					}
				}()
				tt.call()
			}()
		}
	}
}

func TestConversionDoesNotAllocate(t *testing.T) {
	c := conversion(t, schemaOf[weather2](t), schemaOf[weather3](t))
	src, dst := make([]byte, schemaOf[weather2](t).Size), make([]byte, schemaOf[weather3](t).Size)
	if n := testing.AllocsPerRun(100, func() {
		c.Apply(dst, src)
		c.Receive(dst, src)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// checkConversion compares Apply and Receive with a copy of field by field.
func checkConversion(t failer, c *fixed.Conversion, from, to *fixed.Schema, dst, src []byte) {
	t.Helper()
	sources := make(map[string]fixed.Field)
	for _, f := range from.Fields {
		sources[f.Path] = f
	}
	applied, received := bytes.Clone(dst), bytes.Clone(dst)
	missing := false
	for _, f := range to.Fields {
		g, ok := sources[f.Path]
		missing = missing || !ok
		for i := uint32(0); ok && i < f.Size*f.Count; i++ {
			b := src[g.Offset+i]
			applied[f.Offset+i] = b
			if f.Kind == fixed.Bool && b != 0 {
				b = 1
			}
			received[f.Offset+i] = b
		}
	}
	if c.Missing() != missing {
		t.Fatalf("missing is %t, want %t", c.Missing(), missing)
	}
	if c.Same() != (fixed.Match(from, to) == nil) {
		t.Fatalf("same is %t, but %v", c.Same(), fixed.Match(from, to))
	}
	before := bytes.Clone(src)
	got := bytes.Clone(dst)
	if c.Apply(got, src); !bytes.Equal(got, applied) {
		t.Fatalf("apply:\ngot  %x\nwant %x", got, applied)
	}
	got = bytes.Clone(dst)
	if c.Receive(got, src); !bytes.Equal(got, received) {
		t.Fatalf("receive:\ngot  %x\nwant %x", got, received)
	}
	if !bytes.Equal(src, before) {
		t.Fatalf("the source changed")
	}
}
