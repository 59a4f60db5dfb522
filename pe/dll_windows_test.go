package pe

import (
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

func needAMD64(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("NOT TESTED: SyscallN returns floats on amd64")
	}
}

// What one process sets, the other gets, for each type; and what is private stays so.
func TestDLLShared(t *testing.T) {
	needAMD64(t)
	path := writeDLL(t, everyType(t, AMD64))
	a, b := startUser(t, path), startUser(t, path)
	f := func(f float64) uint64 { return math.Float64bits(f) }
	f32 := func(f float32) uint64 { return uint64(math.Float32bits(f)) }
	minus := func(n int64) uint64 { return uint64(n) }
	for _, test := range []struct {
		typ           Type
		initial       uint64
		set, want     uint64
		float         bool
		bytes         string
		alsoByAddress string // written by the other process
		then          uint64
	}{
		// The upper half of the register is not the result's; the second eight bits are the int's.
		{Int8, 7, minus(-2) &^ 0xff00, 0xffff_fffe, false, "fe", "80", 0xffff_ff80},
		{Uint8, 7, 0xabcdfe, 0xfe, false, "fe", "80", 0x80},
		{Int16, 7, minus(-3), 0xffff_fffd, false, "fdff", "0080", 0xffff_8000},
		{Uint16, 7, 0xabfffd, 0xfffd, false, "fdff", "0080", 0x8000},
		{Int32, 7, minus(-10), 0xffff_fff6, false, "f6ffffff", "0a000000", 10},
		{Uint32, 7, 0xff_ffff_fff6, 0xffff_fff6, false, "f6ffffff", "0a000000", 10},
		{Int64, 7, minus(-10), minus(-10), false, "f6ffffffffffffff", "0000000000000080", 1 << 63},
		{Uint64, 7, math.MaxUint64 - 1, math.MaxUint64 - 1, false, "feffffffffffffff", "0000000000000080", 1 << 63},
		{Float32, f32(7), f32(-1.5), f32(-1.5), true, "0000c0bf", "0000803f", f32(1)},
		{Float64, f(7), f(-1.5), f(-1.5), true, "000000000000f8bf", "000000000000f03f", f(1)},
	} {
		name, size := string(test.typ), test.typ.Size()
		get := func(p *proctest.Process) uint64 {
			integer, float := called(p, "get_"+name)
			if !test.float {
				return integer
			}
			return float & (1<<(8*size-1)<<1 - 1)
		}
		if got := get(a); got != test.initial {
			t.Errorf("%s begins as %#x", name, got)
		}
		called(a, "set_"+name, test.set)
		if got := get(b); got != test.want {
			t.Errorf("%s: the other gets %#x, want %#x", name, got, test.want)
		}
		if got := bytesOf(b, name, size, 0); got != test.bytes {
			t.Errorf("%s: the other sees %s, want %s", name, got, test.bytes)
		}
		b.Say("poke %s 0 %s", name, test.alsoByAddress)
		b.Expect("done")
		if got := get(a); got != test.then {
			t.Errorf("%s: the one gets %#x, want %#x", name, got, test.then)
		}
	}

	// Private.
	called(a, "set_own", 6)
	if mine, _ := called(a, "get_own"); mine != 6 {
		t.Errorf("own is %d", mine)
	}
	if theirs, _ := called(b, "get_own"); theirs != 5 {
		t.Errorf("own of the other is %d", theirs)
	}

	// Arrays, through all of their pages.
	if size, _ := called(a, "numbers_size"); size != 280000 {
		t.Errorf("numbers_size is %d", size)
	}
	if at, _ := called(a, "get_numbers"); at == 0 || at%16 != 0 {
		t.Errorf("get_numbers returns %#x", at)
	}
	if got := bytesOf(b, "numbers", 280000, 0); !strings.HasPrefix(got, "0100000002000000fdffffff00000000") {
		t.Errorf("numbers are %s", got)
	}
	a.Say("poke numbers 279996 01020304")
	a.Expect("done")
	if got := bytesOf(b, "numbers", 280000, 279996); got != "01020304" {
		t.Errorf("the last number is %s", got)
	}
	if got := bytesOf(b, "title", 64, 0); !strings.HasPrefix(got, hex.EncodeToString([]byte("ready\x00"))) {
		t.Errorf("title is %s", got)
	}

	// A process that comes later finds what is there; a copy of the file is another DLL; and the
	// values end with the last process.
	c := startUser(t, path)
	if got, _ := called(c, "get_int32"); got != 10 {
		t.Errorf("a third process gets %d", got)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "Other.dll")
	if err := os.WriteFile(other, image, 0o600); err != nil {
		t.Fatal(err)
	}
	d := startUser(t, other)
	if got, _ := called(d, "get_int32"); got != 7 {
		t.Errorf("through a copy of the file it is %d", got)
	}
	a.Kill()
	a.Wait()
	for _, p := range []*proctest.Process{b, c, d} {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got, _ := called(startUser(t, path), "get_int32"); got != 7 {
		t.Errorf("when all have gone, it is %d", got)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, image) {
		t.Errorf("the file has changed; %v", err)
	}
}

// Two C programs that have never heard of this package share values, and so does a Go program
// with them.
func TestDLLSharedWithC(t *testing.T) {
	needAMD64(t)
	path := writeDLL(t, everyType(t, AMD64))
	a, b, g := startC(t, path), startC(t, path), startUser(t, path)
	for _, test := range []struct{ name, initial, value string }{
		{"int32", "7", "-10"}, {"uint64", "7", "18446744073709551615"}, {"double", "7", "-20.01"},
	} {
		if got := a.ask("get "+test.name, test.name+" "); got != test.initial {
			t.Errorf("%s begins as %s", test.name, got)
		}
		a.ask("set "+test.name+" "+test.value, "done")
		got := b.ask("get "+test.name, test.name+" ")
		if want, _ := strconv.ParseFloat(test.value, 64); test.name == "double" {
			if f, err := strconv.ParseFloat(got, 64); err != nil || f != want {
				t.Errorf("%s is %s in the other, %v", test.name, got, err)
			}
		} else if got != test.value {
			t.Errorf("%s is %s in the other", test.name, got)
		}
	}
	if got, _ := called(g, "get_int32"); int32(got) != -10 {
		t.Errorf("Go gets %d", int32(got))
	}
	called(g, "set_float64", math.Float64bits(0.25))
	if got := a.ask("get double", "double "); got != "0.25" {
		t.Errorf("C gets %s", got)
	}
}

// A library of forwards, under another name than its own: as wine.sh makes one with a
// linker for Wine before version 9.
func TestDLLForward(t *testing.T) {
	d := &DLL{Name: "bcryptprimitives.dll", Machine: thisMachine(t), Forwards: []Forward{{"ProcessPrng", "advapi32.SystemFunction036"}}}
	path := filepath.Join(filepath.Dir(writeDLL(t, d)), "forward.dll")
	if err := os.Rename(filepath.Join(filepath.Dir(path), d.Name), path); err != nil {
		t.Fatal(err)
	}
	l, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.FreeLibrary(l.handle)
	p, err := syscall.GetProcAddress(l.handle, "ProcessPrng")
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 64)
	if ok := fill(p, random); byte(ok) == 0 || bytes.Count(random, []byte{0}) > 32 {
		t.Errorf("ProcessPrng returns %#x and fills in %x", ok, random)
	}
}

func thisMachine(t *testing.T) Machine {
	t.Helper()
	for _, m := range machines {
		if m.String() == runtime.GOARCH {
			return m
		}
	}
	t.Skipf("NOT TESTED: no accessors for %s", runtime.GOARCH)
	return 0
}

func TestDLLChecksumImagehlp(t *testing.T) {
	for _, m := range machines {
		if header, computed := imagehlpChecksum(t, writeDLL(t, everyType(t, m))); header != computed || header == 0 {
			t.Errorf("%s: the header has %#x, the system computes %#x", m, header, computed)
		}
	}
}
