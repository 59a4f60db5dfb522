package pe_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/pe"
)

func ExampleOpen() {
	f, err := pe.Open(filepath.Join("testdata", "plain.dll"))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Machine, f.Optional.Plus)
	for _, s := range f.Sections {
		fmt.Printf("%s %s at %#x\n", s.Name, s.Flags, s.VirtualAddress)
	}
	exports, err := f.Exports()
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range exports.Symbols {
		fmt.Printf("%d %q\n", e.Ordinal, e.Name)
	}
	// Output:
	// amd64 true
	// .text re at 0x1000
	// .data rw at 0x2000
	// 5 "Alpha"
	// 5 "Also"
	// 6 ""
	// 8 "Forward"
}

func ExampleParseFlags() {
	flags, err := pe.ParseFlags("rws")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %#x %t\n", flags, uint32(flags|pe.Initialised), flags.Has(pe.Write|pe.Shared))
	// Output: rws 0xd0000040 true
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := pe.Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, path := range []string{dir, "file_test.go"} {
		if _, err := pe.Open(path); !errors.Is(err, pe.ErrFormat) || !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
	}
	if _, err := pe.New(bytes.NewReader(nil), -1); !errors.Is(err, pe.ErrFormat) {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	f, err := pe.Open(filepath.Join("testdata", "plain.dll"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Exports(); !errors.Is(err, os.ErrClosed) || errors.Is(err, pe.ErrFormat) {
		t.Error(err)
	}
	f, err = pe.New(bytes.NewReader(mustRead(t)), int64(len(mustRead(t))))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if text, err := io.ReadAll(io.LimitReader(f.Data(f.Section(".text")), 4)); string(text) != "code" || err != nil {
		t.Errorf("%q %v", text, err)
	}
}

func mustRead(t testing.TB) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", "plain.dll"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFlags(t *testing.T) {
	for flags, want := range map[pe.SectionFlags]string{
		0:                                    "",
		0xFFFFFFFF:                           "rwesdkp",
		pe.Code | pe.Read | pe.Execute:       "re",
		pe.Read | pe.Write | pe.Shared:       "rws",
		pe.Read | pe.Discardable:             "rd",
		pe.NotPaged | pe.NotCached | pe.Read: "rkp",
	} {
		if got := flags.String(); got != want {
			t.Errorf("%#x: %q, not %q", uint32(flags), got, want)
		}
		if got, err := pe.ParseFlags(strings.ToUpper(want)); got.String() != want || err != nil {
			t.Errorf("%q: %v %v", want, got, err)
		}
	}
	for _, bad := range []string{"rx", "r,w", " rws", "é", "\x12", "!"} {
		if flags, err := pe.ParseFlags(bad); err == nil {
			t.Errorf("%q: %v", bad, flags)
		}
	}
}

func TestMachine(t *testing.T) {
	for m, want := range map[pe.Machine]string{pe.AMD64: "amd64", pe.ARM64: "arm64", pe.I386: "386", pe.ARMNT: "arm", 0x200: "0x200"} {
		if got := m.String(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// BenchmarkOpen opens a file and reads its headers.
func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		f, err := pe.Open(filepath.Join("testdata", "plain.dll"))
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
