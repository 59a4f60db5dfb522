package pe

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tool returns a program of mingw, for 64 bits.
func tool(t testing.TB, name string) string {
	path, err := exec.LookPath("x86_64-w64-mingw32-" + name)
	if err != nil {
		t.Skip("mingw is not here: " + err.Error())
	}
	return path
}

// build links a library with mingw's linker, which writes checksums.
func build(t testing.TB, name string, args ...string) string {
	dir := t.TempDir()
	source := filepath.Join(dir, "source.c")
	code := "__declspec(dllexport) int Zero;\n__declspec(dllexport) int *One = &Zero;\n" +
		"__attribute__((section(\"sharedsection\"))) int two = 2;\n" +
		"__attribute__((dllimport)) void Sleep(unsigned);\n__declspec(dllexport) void Nap(void) { Sleep(two); }\n"
	if err := os.WriteFile(source, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	cmd := exec.Command(tool(t, "gcc"), append([]string{"-shared", "-o", path, source}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func mustOpen(t testing.TB, path string) *File {
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// TestChecksumOfLinker computes the checksums that mingw's linker wrote, for an even and an
// odd number of bytes.
func TestChecksumOfLinker(t *testing.T) {
	for _, args := range [][]string{nil, {"-s"}, {"-Wl,--file-alignment=4096"}} {
		f := mustOpen(t, build(t, "lib.dll", args...))
		sum, err := f.ComputeChecksum()
		if err != nil || sum != f.Optional.CheckSum || sum == 0 {
			t.Errorf("%q: %#x, the linker wrote %#x, %v", args, sum, f.Optional.CheckSum, err)
		}
	}
}

// TestChecksumStored computes the checksums of the files on this machine that have one. Wine
// marks its files behind the MS-DOS header after they are linked, and leaves the checksum.
func TestChecksumStored(t *testing.T) {
	n, marked := 0, 0
	for _, path := range images(t) {
		f := mustOpen(t, path)
		stored := f.Optional.CheckSum
		if stored == 0 {
			continue
		}
		mark := make([]byte, 16)
		if _, err := f.ReadRVA(mark, dosHeaderSize); err != nil {
			t.Error(err)
		} else if string(mark) == "Wine builtin DLL" {
			marked++
			continue
		}
		n++
		if sum, err := f.ComputeChecksum(); err != nil || sum != stored {
			t.Errorf("%s: %#x, the linker wrote %#x, %v", path, sum, stored, err)
		}
	}
	t.Logf("%d files, and %d that are marked", n, marked)
}

// TestLikeObjdump compares exports, imports and relocations with those of objdump -p.
func TestLikeObjdump(t *testing.T) {
	objdump := tool(t, "objdump")
	paths := []string{build(t, "lib.dll")}
	all := images(t)
	for _, want := range []string{
		"x86_64-windows/kernel32.dll", "x86_64-windows/ws2_32.dll", "x86_64-windows/oleaut32.dll", "x86_64-windows/notepad.exe",
		"i386-windows/user32.dll", "zlib1.dll",
	} {
		if i := slices.IndexFunc(all, func(path string) bool { return strings.HasSuffix(path, want) }); i >= 0 {
			paths = append(paths, all[i])
		}
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			out, err := exec.Command(objdump, "-p", path).Output()
			if err != nil {
				t.Fatal(err)
			}
			want := parseObjdump(t, out)
			got := listing(t, mustOpen(t, path))
			t.Logf("%d lines", len(got))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// listing says what a file exports, imports and relocates in a form that objdump's answer has
// too.
func listing(t *testing.T, f *File) (lines []string) {
	exports, err := f.Exports()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exports.Symbols {
		if e.Name != "" {
			lines = append(lines, fmt.Sprintf("export %d %s", e.Ordinal-exports.Base, e.Name))
		}
		if e.Forward != "" {
			lines = append(lines, fmt.Sprintf("forward %d %s", e.Ordinal, e.Forward))
		}
	}
	imports, err := f.Imports()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range imports {
		lines = append(lines, "library "+i.DLL)
		for _, s := range i.Symbols {
			if s.Name == "" {
				lines = append(lines, fmt.Sprintf("import #%d", s.Ordinal))
			} else {
				lines = append(lines, fmt.Sprintf("import %d %s", s.Hint, s.Name))
			}
		}
	}
	for r, err := range f.Relocations() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("relocation %x", r.RVA))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

var (
	objdumpExport  = regexp.MustCompile(`^\s*\[ *(\d+)\] (?:\+base\[ *\d+\]\s+[[:xdigit:]]{4,} )?(\S+)$`)
	objdumpForward = regexp.MustCompile(`^\s*\[ *\d+\] \+base\[ *(\d+)\] [[:xdigit:]]+ Forwarder RVA -- (\S+)$`)
	objdumpLibrary = regexp.MustCompile(`^\s*DLL Name: (\S+)$`)
	objdumpImport  = regexp.MustCompile(`^\s*[[:xdigit:]]+\s+(\d+)\s+(\S+)$`)
	objdumpOrdinal = regexp.MustCompile(`^\s*[[:xdigit:]]+\s+([[:xdigit:]]+)\s+<none>$`)
	objdumpReloc   = regexp.MustCompile(`^\s*reloc\s+\d+ offset\s+[[:xdigit:]]+ \[([[:xdigit:]]+)\] (\S+)`)
)

func parseObjdump(t *testing.T, out []byte) (lines []string) {
	scanner := bufio.NewScanner(bytes.NewReader(out))
	for scanner.Scan() {
		line := scanner.Text()
		if m := objdumpForward.FindStringSubmatch(line); m != nil {
			lines = append(lines, "forward "+m[1]+" "+m[2])
		} else if m := objdumpExport.FindStringSubmatch(line); m != nil {
			lines = append(lines, "export "+m[1]+" "+m[2])
		} else if m := objdumpLibrary.FindStringSubmatch(line); m != nil {
			lines = append(lines, "library "+m[1])
		} else if m := objdumpReloc.FindStringSubmatch(line); m != nil && m[2] != "ABSOLUTE" {
			lines = append(lines, "relocation "+m[1])
		} else if m := objdumpOrdinal.FindStringSubmatch(line); m != nil {
			ordinal, err := strconv.ParseUint(m[1], 16, 16) // hexadecimal, unlike hints
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("import #%d", ordinal))
		} else if m := objdumpImport.FindStringSubmatch(line); m != nil {
			lines = append(lines, "import "+m[1]+" "+m[2])
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
