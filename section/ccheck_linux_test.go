package section_test

import (
	"errors"
	"os/exec"
	"testing"
)

// The C program checks what it reads: with nonsense in the files it ends with a message, and not with a signal.
func TestCChecks(t *testing.T) {
	clean(t)
	s := open[cKinds](t, "c/checks")
	if err := s.Store(cKinds{}); err != nil {
		t.Fatal(err)
	}
	anchor, region := files("c/checks")
	for _, word := range []struct {
		what   string
		file   string
		at     int64
		values []uint64
	}{
		{"magic and version of the anchor", anchor, 0, []uint64{0, 1}},
		{"version, entries", anchor, 8, []uint64{0, 2 | 1024<<32, 1, 1 | 1025<<32, 1 | 0xffffffff<<32}},
		{"length of the name", anchor, 20, []uint64{7, 101, 0xffffffff}},
		{"current", anchor, 128, []uint64{0, 2, 1 << 63, 1<<64 - 1}},
		{"magic of the region", region(1), 0, []uint64{0}},
		{"version, form", region(1), 8, []uint64{0, 1, 1 | 2<<32, 1 | 4<<32}},
		{"generation", region(1), 16, []uint64{0, 2}},
		{"capacity", region(1), 24, []uint64{0, 1, 1 << 31, 1<<64 - 1}},
		{"stride", region(1), 32, []uint64{0, 1, 1 << 40}},
		{"cells, length of the schema", region(1), 40, []uint64{0, 3, 4, 4 | 0xffffffff<<32}},
		{"offset of the cells", region(1), 48, []uint64{0, 1 << 40}},
		{"size", region(1), 56, []uint64{0, 1 << 40}},
		{"switch", region(1), 128, []uint64{4, 5, 7, 1<<64 - 1&^8}},
		{"schema", region(1), 256, []uint64{0, 0xffffffff01737770}},
		{"alignment, number of fields", region(1), 264, []uint64{0, 0xffffffff << 32}},
		{"offset, count", region(1), 272, []uint64{0xffffffff, 0xffffffff << 32, 1 << 63}},
		{"kind, length of the path", region(1), 280, []uint64{0, 14, 0xff, 0xffff01}},
	} {
		before := peek(t, word.file, word.at)
		for _, value := range word.values {
			poke(t, word.file, word.at, value)
			p := c(t, "reader", "c/checks")
			var exit *exec.ExitError
			if err := p.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("%s is %#x: %v", word.what, value, err)
			}
			poke(t, word.file, word.at, before)
		}
	}
	if got := run(t, "reader", "c/checks"); len(got) != 17 {
		t.Error(got)
	}
}
