package main

import (
	"math"
	"testing"

	"github.com/partywall/partywall"
)

func TestByteCount(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "100000": 100_000, "64KiB": 65_536, "256MiB": 268_435_456, "4GiB": 4_294_967_296,
		"9223372036854775807": math.MaxInt64, "8589934591GiB": math.MaxInt64 - 1<<30 + 1,
		"": 0, "0": 0, "-1": 0, "-1KiB": 0, "KiB": 0, "1.5GiB": 0, "1 GiB": 0, "1kib": 0, "1KB": 0, "1e6": 0, "0x10": 0,
		"9223372036854775808": 0, "8589934592GiB": 0, "9223372036854775807KiB": 0, "1KiBMiB": 0,
	} {
		var b byteCount
		if err := b.Set(text); (err == nil) != (want > 0) || int64(b) != want {
			t.Errorf("%q: %d, %v; want %d", text, b, err, want)
		}
	}
}

// What the command line names can be served.
func TestExamples(t *testing.T) {
	for _, e := range examples {
		if err := partywall.CheckName(e.service); err != nil || e.quota <= 0 || e.short == "" {
			t.Errorf("%+v: %v", e, err)
		}
		if found, ok := findExample(e.name); !ok || found.name != e.name {
			t.Errorf("%s is not found", e.name)
		}
	}
	if _, ok := findExample("ech"); ok {
		t.Error("half a name is found")
	}
}
