package pe

import (
	"bytes"
	"debug/buildinfo"
	stdpe "debug/pe"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const installer = "an installer's data, which comes last"

// goProgram builds a program for Windows.
func goProgram(t *testing.T, arch string, args ...string) string {
	t.Helper()
	needTool(t, "go")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.org/tiny\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() { println(\"tiny\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "tiny.exe")
	cmd := exec.Command("go", append([]string{"build", "-buildvcs=false", "-o", path}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// cProgram builds a program, or with -shared a library, with mingw.
func cProgram(t *testing.T, code string, args ...string) string {
	t.Helper()
	gcc := tool(t, "gcc")
	dir := t.TempDir()
	source, path := filepath.Join(dir, "source.c"), filepath.Join(dir, "built.exe")
	if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, append([]string{"-O1", "-o", path, source}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

const hello = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n"

// What others build has a new section, and is otherwise what it was, to every reader.
func TestAddSectionToBuilt(t *testing.T) {
	for _, test := range []struct {
		name  string
		build func(t *testing.T) string
	}{
		{"go-amd64", func(t *testing.T) string { return goProgram(t, "amd64") }},
		{"go-arm64", func(t *testing.T) string { return goProgram(t, "arm64") }},
		{"go-386", func(t *testing.T) string { return goProgram(t, "386") }},
		{"go-stripped", func(t *testing.T) string { return goProgram(t, "amd64", "-ldflags=-s -w") }},
		{"mingw-exe", func(t *testing.T) string { return cProgram(t, hello) }},
		{"mingw-dll", func(t *testing.T) string {
			return cProgram(t, "int answer = 42; int get(void) { return answer; }\n", "-shared")
		}},
		{"mingw-stripped", func(t *testing.T) string { return cProgram(t, hello, "-s") }},
		{"own-dll", func(t *testing.T) string { return writeDLL(t, everyType(t, AMD64)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.build(t)
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.WriteString(installer); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "patched.exe")
			s := NewSection{Name: "Counter", Size: 4096, Init: []byte("begin")}
			if err := AddSection(path, out, s, PatchOptions{}); err != nil {
				t.Fatal(err)
			}
			old, b := mustRead(t, path), mustRead(t, out)
			f := mustOpen(t, path)
			sameBut(t, old, b, added(f))
			if !bytes.HasPrefix(b[len(old)-len(installer):], []byte(installer)) {
				t.Error("the overlay is not where it was")
			}
			likeStandard(t, old, b, s)
			likeTools(t, path, out)
			if strings.HasPrefix(test.name, "go-") {
				was, err := buildinfo.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				is, err := buildinfo.ReadFile(out)
				if diff := cmp.Diff(was, is); err != nil || diff != "" {
					t.Error(err, diff)
				}
				if v := runTool(t, "go", "version", "-m", out); !strings.Contains(v, "example.org/tiny") {
					t.Error(v)
				}
			}
			if err := AddSection(out, "", s, PatchOptions{}); err == nil {
				t.Error("added twice")
			}
		})
	}
}

// likeStandard compares what debug/pe reads before and after.
func likeStandard(t *testing.T, old, b []byte, s NewSection) {
	t.Helper()
	was, err := stdpe.NewFile(bytes.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	is, err := stdpe.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(is.Sections) != len(was.Sections)+1 {
		t.Fatalf("%d sections, there were %d", len(is.Sections), len(was.Sections))
	}
	for i, s := range was.Sections {
		if diff := cmp.Diff(s.SectionHeader, is.Sections[i].SectionHeader); diff != "" {
			t.Error(diff)
		}
		before, err1 := s.Data()
		after, err2 := is.Sections[i].Data()
		if !bytes.Equal(before, after) || err1 != nil && s.Size != 0 || fmt.Sprint(err1) != fmt.Sprint(err2) {
			t.Errorf("%s has other data; %v, %v", s.Name, err1, err2)
		}
	}
	if diff := cmp.Diff(was.Symbols, is.Symbols); diff != "" {
		t.Error(diff)
	}
	for _, list := range []func(*stdpe.File) ([]string, error){(*stdpe.File).ImportedSymbols, (*stdpe.File).ImportedLibraries} {
		before, err1 := list(was)
		after, err2 := list(is)
		if diff := cmp.Diff(before, after); diff != "" || err1 != nil || err2 != nil {
			t.Error(diff, err1, err2)
		}
	}
	last := is.Sections[len(was.Sections)]
	data, err := last.Data()
	if err != nil || last.Name != s.Name || !bytes.HasPrefix(data, s.Init) {
		t.Errorf("%+v, %v", last.SectionHeader, err)
	}
}

// likeTools asks objdump and osslsigncode.
func likeTools(t *testing.T, path, out string) {
	t.Helper()
	for _, objdump := range []string{"x86_64-w64-mingw32-objdump", "llvm-objdump"} {
		if _, err := exec.LookPath(objdump); err != nil {
			t.Logf("NOT TESTED: %v", err)
			continue
		}
		if m := mustOpen(t, out).Machine; m == ARM64 && objdump != "llvm-objdump" {
			continue
		}
		listing := runTool(t, objdump, "-h", "-p", out)
		if strings.Contains(strings.ToLower(listing), "warning") || !regexp.MustCompile(`(?m)^ *\d+ Counter +00001000 `).MatchString(listing) {
			t.Errorf("%s: %s", objdump, listing)
		}
		if objdump == "x86_64-w64-mingw32-objdump" && !regexp.MustCompile(`Counter .*\n.*CONTENTS, ALLOC, LOAD, DATA, SHARED`).MatchString(listing) {
			t.Error(listing)
		}
	}
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		t.Logf("NOT TESTED: %v", err)
		return
	}
	said := verify(t, out)
	if sum := fmt.Sprintf("PE checksum   : %08X", mustOpen(t, out).Optional.CheckSum); !strings.Contains(said, sum) || strings.Contains(said, "Calculated") {
		t.Errorf("want %s: %s", sum, said)
	}
}

// The sections of the old contract, made by a compiler: shared by it, and by SetFlags.
func TestShareBuilt(t *testing.T) {
	code := func(attribute string) string {
		return `
__attribute__((section("SectionA")` + attribute + `)) int shareDataA = 0;
__attribute__((section("SectionB")` + attribute + `)) int shareDataB = 0;
__attribute__((section("Pointers"))) int *pointer = &shareDataA;
__attribute__((section("Empty,\"bw\"#"))) int empty;
__declspec(dllexport) void setDataA(int a) { shareDataA = a; }
__declspec(dllexport) int getDataA(void) { return shareDataA; }
__declspec(dllexport) void setDataB(int b) { shareDataB = b; }
__declspec(dllexport) int getDataB(void) { return shareDataB + *pointer + empty; }
`
	}
	ours := cProgram(t, code(""), "-shared", "-s")
	theirs := mustOpen(t, cProgram(t, code(", shared"), "-shared", "-s"))
	rws := Read | Write | Shared
	for name, is := range map[string]error{
		"Pointers": ErrUnshareable, "Empty": ErrUnshareable, ".data": ErrUnshareable, ".bss": ErrUnshareable, ".idata": ErrUnshareable,
		"none": ErrNoSection,
	} {
		if err := SetFlags(ours, "", name, rws, PatchOptions{}); !errors.Is(err, is) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %v", name, err, is)
		}
	}
	for _, name := range []string{"SectionA", "SectionB"} {
		if err := SetFlags(ours, "", name, rws, PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	f := mustOpen(t, ours)
	for _, name := range []string{"SectionA", "SectionB"} {
		const memory = 0xfe000000 | 0x60 // and code, and initialised data; mingw says how it is aligned too
		if is, want := f.Section(name).Flags&memory, theirs.Section(name).Flags&memory; is != want {
			t.Errorf("%s has flags %#x; the compiler gives %#x", name, uint32(is), uint32(want))
		}
	}
	if diff := cmp.Diff(theirs.Warnings(), f.Warnings()); diff != "" {
		t.Error(diff)
	}
	likeChecksum(t, ours)
}

func likeChecksum(t *testing.T, path string) {
	t.Helper()
	f := mustOpen(t, path)
	if sum, err := f.ComputeChecksum(); err != nil || sum != f.Optional.CheckSum {
		t.Errorf("%#x, %#x, %v", sum, f.Optional.CheckSum, err)
	}
	// Of a file with an odd number of bytes it computes one less than the linker did.
	if _, err := exec.LookPath("osslsigncode"); err == nil && f.Size%2 == 0 {
		if said := verify(t, path); strings.Contains(said, "Calculated") {
			t.Error(said)
		}
	}
}
