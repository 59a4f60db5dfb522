package fixed_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

// A section's file says what its layout is, and any program of its user may have
// written that.
func FuzzUnion(f *testing.F) {
	f.Add(encoded(f, schemaOf[weather1](f)), encoded(f, schemaOf[weather2](f)))
	f.Add(encoded(f, schemaOf[weather2](f)), encoded(f, schemaOf[weather3](f)))
	f.Add(encoded(f, schemaOf[weather3](f)), encoded(f, schemaOf[weather3](f)))
	f.Add(encoded(f, schemaOf[flags](f)), encoded(f, schemaOf[flags](f)))
	f.Add(encoded(f, schemaOf[frame](f)), encoded(f, schemaOf[padded](f)))
	for _, d := range disagreements(f) {
		f.Add(encoded(f, d.there), encoded(f, d.here))
	}
	u8 := byte(fixed.Uint8)
	for _, paths := range [][2]string{
		{"A[0", "A[0]"}, {"A[0", "A[0"}, {"A[0]B", "A[0].B"}, {"[", "]"}, {"[", "["}, {".", "["}, {".", "A"},
		{"..", "."}, {"A.", "A."}, {"A[", "A["}, {"[0]", "[0][0]"}, {"é.x", "é"}, {"éx", "é"}, {"A]", "A"}, {"", ""}, {"", "."},
	} {
		for _, last := range []byte{u8, byte(fixed.Complex128)} {
			size := fixed.Kind(last).Size()
			f.Add([]byte(header(1, 1, 1)+field(0, 1, u8, paths[0])), []byte(header(size, 1, 1)+field(0, 1, last, paths[1])))
		}
	}
	f.Add([]byte(header(1<<30, 1, 1)+field(0, 1<<30, u8, "A")), []byte(header(1, 1, 1)+field(0, 1, u8, "B")))
	f.Add([]byte(header(1<<30-8, 8, 1)+field(0, 1, u8, "A")), []byte(header(16, 8, 2)+field(7, 1, byte(fixed.Float64), "B")+field(15, 1, u8, "A")))

	f.Fuzz(func(t *testing.T, a, b []byte) {
		have, err := fixed.ParseSchema(a)
		if err != nil {
			return
		}
		want, err := fixed.ParseSchema(b)
		if err != nil {
			return
		}
		u, err := fixed.Union(have, want)
		switch {
		case err == nil:
			checkUnion(t, u, have, want)
			fuzzConversion(t, have, u)
			fuzzConversion(t, u, want)
		case u != nil:
			t.Fatalf("%v, and yet %v", err, u)
		case !errors.Is(err, partywall.ErrLayout) && !errors.Is(err, partywall.ErrTooLarge):
			t.Fatal(err)
		}
		disagree := errors.Is(err, partywall.ErrLayout)
		if bad := contradictions(have, want); disagree != (len(bad) > 0) || disagree && !names(err, bad) {
			t.Fatalf("%v contradict, but %v", bad, err)
		}
		if _, back := fixed.Union(want, have); errors.Is(back, partywall.ErrLayout) != disagree {
			t.Fatalf("%v one way, %v the other", err, back)
		}
		if disagree {
			for _, s := range [][2]*fixed.Schema{{have, want}, {want, have}} {
				if c, err := fixed.NewConversion(s[0], s[1]); c != nil || !errors.Is(err, partywall.ErrLayout) {
					t.Fatalf("conversion: %v, %v", c, err)
				}
			}
			return
		}
		fuzzConversion(t, have, want)
		fuzzConversion(t, want, have)
	})
}

func fuzzConversion(t failer, from, to *fixed.Schema) {
	t.Helper()
	c, err := fixed.NewConversion(from, to)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if from.Size > 1<<16 || to.Size > 1<<16 {
		return
	}
	src, dst := make([]byte, from.Size), make([]byte, to.Size)
	for i := range src {
		src[i] = byte(i * 7)
	}
	for i := range dst {
		dst[i] = byte(i*13) | 0x80
	}
	checkConversion(t, c, from, to, dst, src)
}

// The most that a hostile schema may hold must not cost more than sorting it:
// the watchdog barks at what grows with the square.
func TestUnionBounded(t *testing.T) {
	dog := time.AfterFunc(time.Minute, func() { panic("the union takes longer than a minute") })
	defer dog.Stop()
	series := func(n int, path func(int) string) *fixed.Schema {
		fields := make([]string, n)
		for i := range fields {
			fields[i] = field(uint32(i), 1, byte(fixed.Uint8), path(i))
		}
		return foreign(t, uint32(n), 1, fields...)
	}
	joints := strings.Repeat("[.", 497)
	tests := []struct {
		name       string
		have, want *fixed.Schema
	}{
		{"the same fields backwards",
			series(1<<16, func(i int) string { return fmt.Sprintf("A%05d", i) }),
			series(1<<16, func(i int) string { return fmt.Sprintf("A%05d", 1<<16-1-i) })},
		{"joints only",
			series(4000, func(i int) string { return joints + fmt.Sprintf("%04d", i) }),
			series(4000, func(i int) string { return joints + fmt.Sprintf("%04d", 3999-i) })},
		{"one below another",
			series(1000, func(i int) string { return strings.Repeat("[", i+1) }),
			series(999, func(i int) string { return strings.Repeat(".", 999-i) })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := fixed.Union(tt.have, tt.want)
			if c, cerr := fixed.NewConversion(tt.have, tt.want); fmt.Sprint(err) != fmt.Sprint(cerr) {
				t.Fatalf("union: %v\nconversion: %v, %v", err, c, cerr)
			}
			if err != nil && !errors.Is(err, partywall.ErrLayout) || err == nil && u != tt.have {
				t.Errorf("%.300v", err)
			}
		})
	}
}
