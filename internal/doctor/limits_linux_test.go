package doctor

import (
	"math"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// judged is what each of the functions that judge a figure says.
func TestJudged(t *testing.T) {
	const mib = 1 << 20
	none := math.Inf(1)
	for _, test := range []struct {
		what string
		got  Finding
		want Status
		says string
	}{
		{"many descriptors", descriptorsLeft(1024, 10), OK, "1014 of 1024"},
		{"few", descriptorsLeft(100, 10), Warning, "90 of 100"},
		{"too few", descriptorsLeft(10, 3), Failed, "7 of 10"},
		{"none", descriptorsLeft(3, 5), Failed, "0 of 3"},

		{"files of any size", fileSizeUpTo(unlimited), OK, "any size"},
		{"large files", fileSizeUpTo(2 << 30), OK, "2 GiB"},
		{"small files", fileSizeUpTo(100 * mib), Warning, "100 MiB"},
		{"tiny files", fileSizeUpTo(mib), Failed, "1 MiB"},

		{"any address", addressSpaceUpTo(unlimited, 5), OK, "no limit"},
		{"many addresses", addressSpaceUpTo(4<<30, 100*mib), OK, "3996 MiB of 4 GiB"},
		{"some addresses", addressSpaceUpTo(1<<30, 100*mib), Warning, "924 MiB of 1 GiB"},
		{"no addresses", addressSpaceUpTo(100*mib, 99*mib), Failed, "1 MiB of 100 MiB"},
		{"more than all", addressSpaceUpTo(100*mib, 200*mib), Failed, "0 bytes of 100 MiB"},

		{"mappings", mapCountUpTo(65530), OK, "65530"},
		{"few mappings", mapCountUpTo(1000), Warning, "1000"},

		{"processors", processorsWith(8, 8, none), OK, "on 8, and spin on 7"},
		{"fewer in use", processorsWith(8, 4, none), OK, "spin on 3 of them; GOMAXPROCS is 4"},
		{"more in use", processorsWith(2, 4, none), OK, "spin on 1 of them; GOMAXPROCS is 4"},
		{"one processor", processorsWith(1, 1, none), Warning, "spin on 0"},
		{"one in use", processorsWith(8, 1, none), Warning, "unset GOMAXPROCS"},
		{"one, and a quota", processorsWith(1, 1, 0.5), Warning, "a larger machine"},
		{"a large quota", processorsWith(8, 4, 4), OK, "quota is 4"},
		{"a small quota", processorsWith(8, 2, 0.25), Warning, "quota is 0.25"},
		{"a quota and no spinning", processorsWith(8, 1, 0.25), Warning, "unset GOMAXPROCS"},

		{"memory", memoryLeft(1<<30, 512*mib), OK, "512 MiB of 1 GiB"},
		{"little memory", memoryLeft(1<<30, 100*mib), Warning, "100 MiB of 1 GiB"},

		{"no Yama", yamaScope("0"), OK, "calls do not need it"},
		{"Yama", yamaScope("1"), OK, "calls do not need it"},
		{"strict Yama", yamaScope("2"), Warning, "calls do not need it"},
		{"strictest Yama", yamaScope("3"), Warning, "Nothing for calls"},
		{"another Yama", yamaScope("17"), Warning, "17"},
	} {
		t.Run(test.what, func(t *testing.T) {
			f := test.got
			f.ID, f.Title = "a", "A"
			wellFormed(t, f)
			if f.Status != test.want || !strings.Contains(f.Seen+f.Advice, test.says) {
				t.Errorf("got %+v, want %s and %q", f, test.want, test.says)
			}
		})
	}
}

func TestOpenBelow(t *testing.T) {
	before := openBelow(4096)
	var pair [2]int
	must(t, unix.Pipe2(pair[:], unix.O_CLOEXEC))
	defer unix.Close(pair[1])
	if got := openBelow(4096); got != before+2 {
		t.Errorf("%d descriptors, and with a pipe %d", before, got)
	}
	must(t, unix.Close(pair[0]))
	if got := openBelow(4096); got != before+1 {
		t.Errorf("%d descriptors, and with one end of a pipe %d", before, got)
	}
}

func TestMapped(t *testing.T) {
	const more = 64 << 20
	before, err := mapped()
	must(t, err)
	mem, err := unix.Mmap(-1, 0, more, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	must(t, err)
	after, err := mapped()
	must(t, unix.Munmap(mem))
	must(t, err)
	if after-before < more || before < more/64 {
		t.Errorf("%d bytes, and %d after mapping %d", before, after, more)
	}
}

func TestSeccompHint(t *testing.T) {
	for status, want := range map[string]int{
		"Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n": 1,
		"Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0\n": 0,
		"Name:\tSeccomp:\t2\n":                         0,
		"":                                             0,
	} {
		if got := seccomp(status); len(got) != want {
			t.Errorf("%q: %q", status, got)
		}
	}
}
