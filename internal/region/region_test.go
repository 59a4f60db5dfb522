package region

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAt(t *testing.T) {
	mem := make([]byte, 64)[:32:32] // an allocation of 64 bytes is aligned to 8
	*At[uint32](mem, 4) = 0x01020304
	if string(mem[4:8]) != "\x04\x03\x02\x01" && string(mem[4:8]) != "\x01\x02\x03\x04" {
		t.Errorf("% x", mem[4:8])
	}
	At[atomic.Uint64](mem, 24).Store(7)
	if mem[24]+mem[31] != 7 || At[uint64](mem, 24) == At[uint64](mem, 16) {
		t.Error("the view is of something else")
	}
	for _, test := range []struct {
		what string
		view func()
	}{
		{"before the beginning", func() { At[uint32](mem, -4) }},
		{"far before the beginning", func() { At[uint32](mem, math.MinInt) }},
		{"at the end", func() { At[uint32](mem, 32) }},
		{"across the end", func() { At[uint64](mem, 28) }},
		{"far behind the end", func() { At[uint8](mem, math.MaxInt) }},
		{"in nothing", func() { At[uint8](nil, 0) }},
		{"larger than all", func() { At[[33]byte](mem, 0) }},
		{"of no size", func() { At[struct{}](mem, 0) }},
		{"not aligned to 4", func() { At[atomic.Uint32](mem, 2) }},
		{"not aligned to 8", func() { At[atomic.Uint64](mem, 4) }},
	} {
		t.Run(test.what, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "region: ") {
					t.Errorf("panics with %q", text)
				}
			}()
			test.view()
		})
	}
}
