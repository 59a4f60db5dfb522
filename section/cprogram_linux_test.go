package section_test

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/internal/proctest"
)

// The programs in testdata/c have been written from docs/LAYOUT.md and docs/PROTOCOL.md alone. That they work
// together with this package shows that those say what it does.

// compiled builds them once, in the folder of the run directory, which goes when the tests end.
var compiled = sync.OnceValues(func() (dir string, err error) {
	dir = filepath.Join(filepath.Dir(os.Getenv("PARTYWALL_DIR")), "c")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	cc := strings.Fields(os.Getenv("CC"))
	if len(cc) == 0 {
		cc = []string{"cc"}
	}
	for _, program := range []string{"reader", "writer"} {
		args := append(cc[1:len(cc):len(cc)], "-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-o", filepath.Join(dir, program))
		for _, source := range []string{program, "section", "region", "sha256"} {
			args = append(args, filepath.Join("testdata", "c", source+".c"))
		}
		if out, err := exec.Command(cc[0], args...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s %s: %w\n%s", cc[0], strings.Join(args, " "), err, out)
		}
	}
	return dir, nil
})

// c starts one of the C programs.
func c(t testing.TB, program string, args ...string) *proctest.Process {
	t.Helper()
	if os.Getenv("CGO_ENABLED") == "0" {
		t.Skip("CGO_ENABLED=0: there need not be a C compiler")
	}
	dir, err := compiled()
	if err != nil {
		t.Fatalf("scripts/install-test-needs.sh installs a C compiler: %v", err)
	}
	return proctest.StartAs(t, func(cmd *exec.Cmd) {
		cmd.Path = filepath.Join(dir, program)
		cmd.Args[0] = program
	}, program, args...)
}

// run starts one and gives what it printed when it has ended well.
func run(t testing.TB, program string, args ...string) (lines []string) {
	t.Helper()
	p := c(t, program, args...)
	for line := range p.Lines() {
		lines = append(lines, line)
	}
	if err := p.Wait(); err != nil {
		t.Fatalf("%s %v: %v", program, args, err)
	}
	return lines
}

// parse makes a map of "VERSION path=value path=value".
func parse(t testing.TB, line string) (version uint64, values map[string]string) {
	t.Helper()
	words := strings.Fields(line)
	version, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	values = map[string]string{}
	for _, w := range words[1:] {
		path, value, _ := strings.Cut(w, "=")
		values[path] = value
	}
	return version, values
}

type cKinds struct {
	Bool     bool
	I8       int8
	U64      uint64
	I16      int16
	F32      float32
	F64      float64
	C64      complex64
	Deep     struct{ Point struct{ X, Y int32 } }
	Array    [3]uint16
	Matrix   [2][2]int64
	Machines [2]struct {
		On   bool
		Load float64
		Last [2]uint8
	}
}

// Values by name, of each kind, within each other.
func TestCReads(t *testing.T) {
	clean(t)
	s := open[cKinds](t, "c/kinds")
	v := cKinds{Bool: true, I8: -8, U64: 1<<64 - 1, I16: -1 << 15, F32: 0.1, F64: 0.1, C64: 1 - 2i, Array: [3]uint16{1, 2, 65535}, Matrix: [2][2]int64{{1, 2}, {3, -4}}}
	v.Deep.Point.Y = -5
	v.Machines[1].On, v.Machines[1].Load, v.Machines[1].Last = true, 1e300, [2]uint8{7, 9}
	for range 3 {
		if err := s.Store(v); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, line := range run(t, "reader", "c/kinds") {
		version, values := parse(t, line)
		if version != 3 || len(values) != 1 {
			t.Errorf("%q", line)
		}
		for path, value := range values {
			got[path] = value
		}
	}
	want := map[string]string{
		"Bool": "true", "I8": "-8", "U64": "18446744073709551615", "I16": "-32768",
		"F32": "0.100000001", "F64": "0.10000000000000001", "C64": "(1-2i)",
		"Deep.Point.X": "0", "Deep.Point.Y": "-5", "Array": "1,2,65535", "Matrix": "1,2,3,-4",
		"Machines[0].On": "false", "Machines[0].Load": "0", "Machines[0].Last": "0,0",
		"Machines[1].On": "true", "Machines[1].Load": "1.0000000000000001e+300", "Machines[1].Last": "7,9",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Bytes and documents have no fields; the program prints what lies there.
func TestCReadsBytes(t *testing.T) {
	clean(t)
	s := open[[]byte](t, "c/bytes")
	if err := s.Store([]byte("a\x00b")); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "reader", "c/bytes"); len(got) != 1 || got[0] != "1 bytes=610062" {
		t.Error(got)
	}
	d := open[map[string]int](t, "c/document")
	if got := run(t, "reader", "c/document"); len(got) != 1 || got[0] != "0 document=" {
		t.Error(got)
	}
	if err := d.Store(map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "reader", "c/document"); len(got) != 1 || got[0] != "1 document=a1616101" {
		t.Error(got)
	}
}

// sum is what the program prints of many elements.
func sum(b []byte) string {
	h := fnv.New64a()
	h.Write(b)
	return fmt.Sprintf("(%d:%016x)", len(b), h.Sum64())
}

type cPair struct{ N, Twice uint64 }

type cLarge struct {
	N, Twice uint64
	Data     [1 << 20]byte
}

// The value of 1 MiB is read whole, under pins, while it is stored.
func TestCReadsLarge(t *testing.T) {
	clean(t)
	s := open[cLarge](t, "c/large")
	v := new(cLarge)
	for i := range v.Data {
		v.Data[i] = byte(i * 7)
	}
	v.Data[len(v.Data)-1] = 0
	rest := slices.Clone(v.Data[:])
	if _, err := s.StoreFrom(v); err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan bool), make(chan error, 1)
	go func() {
		for {
			v.N++
			v.Twice = 2 * v.N
			v.Data[len(v.Data)-1] = byte(v.N)
			if _, err := s.StoreFrom(v); err != nil {
				ended <- err
				return
			}
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
		}
	}()
	for range 3 {
		lines := run(t, "reader", "c/large")
		_, n := parse(t, lines[0])
		_, twice := parse(t, lines[1])
		version, data := parse(t, lines[2])
		count, _ := strconv.ParseUint(n["N"], 10, 64)
		if count+1 != version || twice["Twice"] != fmt.Sprint(2*count) {
			t.Errorf("%q %q", lines[0], lines[1])
		}
		want := slices.Clone(rest)
		want[len(want)-1] = byte(count)
		if data["Data"] != sum(want) {
			t.Errorf("version %d: %s, want %s", version, data["Data"], sum(want))
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
