package procmem

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMaps(t *testing.T) {
	got, err := parseMaps("" +
		"00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/a file (deleted)\n" +
		"7ffd0-7ffd1 rw-s 00000000 00:00 0 \n" +
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n")
	want := []Region{
		{Address: 0x400000, Size: 0x52000, Read: true, Execute: true, Committed: true, Path: "/usr/bin/a file (deleted)"},
		{Address: 0x7ffd0, Size: 1, Read: true, Write: true, Shared: true, Committed: true},
		{Address: 0xffffffffff600000, Size: 0x1000, Execute: true, Committed: true, Path: "[vsyscall]"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"\n", "x", "1-2 rwxp 0 0 ", "2-1 rwxp 0 0 0", "1-2 rwx 0 0 0", "1 rwxp 0 0 0", "1-x rwxp 0 0 0", "-1-2 rwxp 0 0 0"} {
		if r, err := parseMaps(bad); err == nil {
			t.Errorf("%q: %v", bad, r)
		}
	}
}

func FuzzParseMaps(f *testing.F) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(maps))
	f.Add("0-0 ---- 0 0 0")
	f.Add("ffffffffffffffff-0 rwxp 0 0 0 /x")
	f.Fuzz(func(t *testing.T, maps string) {
		regions, err := parseMaps(maps)
		if err != nil {
			if regions != nil {
				t.Errorf("%v with %v", regions, err)
			}
			return
		}
		lines := 0
		for line := range strings.Lines(maps) {
			r := regions[lines]
			lines++
			if r.Address+r.Size < r.Address {
				t.Errorf("%+v goes over the end", r)
			}
			if !strings.HasSuffix(strings.TrimSuffix(line, "\n"), r.Path) {
				t.Errorf("%q has the path %q", line, r.Path)
			}
		}
		if len(regions) != lines {
			t.Errorf("%d regions in %d lines", len(regions), lines)
		}
	})
}
