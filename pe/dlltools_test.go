package pe

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// writeDLL makes a file of a DLL, named after it, in a directory of the test's.
func writeDLL(t testing.TB, d *DLL) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), d.Name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.WriteTo(file)
	if err2 := file.Close(); err == nil {
		err = err2
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// everyType has a variable of each type, arrays, something private, and a forward.
func everyType(t testing.TB, m Machine) *DLL {
	d := &DLL{Name: "EveryType.dll", Machine: m, Forwards: []Forward{{"ProcessPrng", "advapi32.SystemFunction036"}}}
	for _, typ := range allTypes {
		d.Vars = append(d.Vars, mustVar(t, fmt.Sprintf("Shared:%s:%[1]s=7:get_%[1]s:set_%[1]s", typ)))
	}
	d.Vars = append(d.Vars, mustVar(t, "Arrays:numbers:[70000]int32=1,2,-3:get_numbers"), mustVar(t, `Arrays:title:bytes[64]="ready":get_title`))
	own := mustVar(t, "Own:own:int32=5:get_own:set_own")
	own.Private = true
	d.Vars = append(d.Vars, own)
	return d
}

var (
	instruction = regexp.MustCompile(`(?m)^ *[0-9a-f]+:\s+(.*)$`)
	symbol      = regexp.MustCompile(`\s*<.*$`)
	relative    = regexp.MustCompile(`\[rip\+[^\]]*\]`)
	blanks      = regexp.MustCompile(`\s+`)
)

// instructions are the instructions of a disassembly, without padding.
func instructions(listing string) (all []string) {
	for _, match := range instruction.FindAllStringSubmatch(listing, -1) {
		i := match[1]
		// objdump says in a comment what an address relative to rip is.
		if code, address, ok := strings.Cut(i, " # "); ok {
			i = relative.ReplaceAllString(code, "["+symbol.ReplaceAllString(address, "")+"]")
		}
		i = strings.TrimSpace(blanks.ReplaceAllString(symbol.ReplaceAllString(i, ""), " "))
		if i != "int3" && i != "brk #0xf000" && i != "" {
			all = append(all, i)
		}
	}
	return all
}

// The listings of the old contract's DLL, with the addresses of both ints.
func TestDisassembly(t *testing.T) {
	for _, test := range []struct {
		machine Machine
		tool    string
		args    []string
		want    []string
	}{
		{AMD64, "x86_64-w64-mingw32-objdump", []string{"-M", "intel"}, []string{
			"mov eax,DWORD PTR [0x180002000]", "ret",
			"mov DWORD PTR [0x180002000],ecx", "ret",
			"mov eax,DWORD PTR [0x180003000]", "ret",
			"mov DWORD PTR [0x180003000],ecx", "ret",
		}},
		{I386, "x86_64-w64-mingw32-objdump", []string{"-M", "intel"}, []string{
			"mov eax,ds:0x10002000", "ret",
			"mov eax,DWORD PTR [esp+0x4]", "mov ds:0x10002000,eax", "ret",
			"mov eax,ds:0x10003000", "ret",
			"mov eax,DWORD PTR [esp+0x4]", "mov ds:0x10003000,eax", "ret",
		}},
		{ARM64, "llvm-objdump", nil, []string{
			"adrp x8, 0x180002000", "ldr w0, [x8]", "ret",
			"adrp x8, 0x180002000", "str w0, [x8]", "ret",
			"adrp x8, 0x180003000", "ldr w0, [x8]", "ret",
			"adrp x8, 0x180003000", "str w0, [x8]", "ret",
		}},
	} {
		t.Run(test.machine.String(), func(t *testing.T) {
			needTool(t, test.tool)
			d := sectionDLL(t, test.machine)
			listing := runTool(t, test.tool, append(test.args, "-d", "--no-show-raw-insn", writeDLL(t, d))...)
			if got := instructions(listing); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q\n%s", got, test.want, listing)
			}
		})
	}
}

// objdump reads the headers and the exports, and complains about nothing.
func TestObjdump(t *testing.T) {
	needTool(t, "x86_64-w64-mingw32-objdump")
	for _, m := range []Machine{AMD64, I386} {
		out := runTool(t, "x86_64-w64-mingw32-objdump", "-h", "-p", writeDLL(t, everyType(t, m)))
		if strings.Contains(strings.ToLower(out), "warning") || strings.Contains(out, "corrupt") {
			t.Error(out)
		}
		_, names, _ := strings.Cut(out, "[Ordinal/Name Pointer] Table")
		var got []string
		for _, match := range regexp.MustCompile(`(?m)^\s+\[ *\d+\] (\S+)$`).FindAllStringSubmatch(names, -1) {
			got = append(got, match[1])
		}
		want := []string{"ProcessPrng", "numbers", "numbers_size", "get_numbers", "title", "title_size", "get_title", "own", "get_own", "set_own"}
		for _, typ := range allTypes {
			want = append(want, string(typ), "get_"+string(typ), "set_"+string(typ))
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: exports %q\nwant %q\n%s", m, got, want, out)
		}
		for _, line := range []string{
			"Forwarder RVA -- advapi32.SystemFunction036", "DYNAMIC_BASE", "NX_COMPAT", "EveryType.dll",
			`Shared .*\n.*CONTENTS, ALLOC, LOAD, DATA, SHARED`, `Arrays .*\n.*CONTENTS, ALLOC, LOAD, DATA, SHARED`, `Own .*\n.*CONTENTS, ALLOC, LOAD, DATA\n`,
		} {
			if !regexp.MustCompile(line).MatchString(out) {
				t.Errorf("%s: no %s in\n%s", m, line, out)
			}
		}
	}
}

// osslsigncode shows a second checksum, and a warning, only if it computes another one than
// the header has.
func TestChecksumOsslsigncode(t *testing.T) {
	needTool(t, "osslsigncode")
	for _, m := range machines {
		path := writeDLL(t, everyType(t, m))
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		sum, field := f.Optional.CheckSum, f.Offsets.CheckSum
		f.Close()
		if out := verify(t, path); !strings.Contains(out, fmt.Sprintf("PE checksum   : %08X", sum)) || strings.Contains(out, "Calculated") {
			t.Errorf("%s, checksum %08X: %s", m, sum, out)
		}
		// It does look.
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[field]++
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := verify(t, path); !strings.Contains(out, fmt.Sprintf("Calculated PE checksum: %08X", sum)) {
			t.Errorf("%s, checksum %08X: %s", m, sum, out)
		}
	}
}

// verify is what osslsigncode says about a file. Nothing is signed here, so it fails.
func verify(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("osslsigncode", "verify", path).CombinedOutput()
	if err == nil {
		t.Fatalf("a signature? %s", out)
	}
	return string(out)
}
