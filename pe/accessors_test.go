package pe

import (
	"bytes"
	stdpe "debug/pe"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needTool skips the test where a tool is not installed.
func needTool(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
}

func runTool(t *testing.T, tool string, args ...string) string {
	t.Helper()
	out, err := exec.Command(tool, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", tool, args, err, out)
	}
	return strings.ReplaceAll(string(out), "\r", "")
}

// sourceC has an accessor for each type. Conventions leave open what the upper bits of
// small results are; results of int make the compiler extend them.
func sourceC() string {
	var b strings.Builder
	b.WriteString("#include <stdint.h>\n")
	for _, t := range allTypes {
		name, result := string(t)+"_t", string(t)+"_t"
		switch t {
		case Float32:
			name, result = "float", "float"
		case Float64:
			name, result = "double", "double"
		case Int8, Int16:
			result = "int"
		case Uint8, Uint16:
			result = "unsigned"
		}
		fmt.Fprintf(&b, "%s v_%s = 1; %[3]s get_%[2]s(void) { return v_%[2]s; } void set_%[2]s(%[1]s x) { v_%[2]s = x; }\n", name, t, result)
	}
	b.WriteString("int array[9000] = {1}; int *get_array(void) { return array; }\n")
	b.WriteString("uint32_t size_array(void) { return sizeof array; } uint32_t size_large(void) { return 70000; }\n")
	return b.String()
}

// sourceLLVM is the same in LLVM's language, for machines without a C compiler here.
// Versions before 15 want to know what a pointer points to, later ones not.
func sourceLLVM(version int) string {
	pointer := func(to string) string {
		if version < 15 {
			return to + "*"
		}
		return "ptr"
	}
	var b strings.Builder
	for _, t := range allTypes {
		name := fmt.Sprint("i", 8*t.Size())
		switch t {
		case Float32:
			name = "float"
		case Float64:
			name = "double"
		}
		p := pointer(name)
		fmt.Fprintf(&b, "@v_%s = global %s zeroinitializer, align %d\n", t, name, t.Size())
		fmt.Fprintf(&b, "define void @set_%s(%s %%x) { store %[2]s %%x, %[3]s @v_%[1]s\n ret void }\n", t, name, p)
		extend := map[Type]string{Int8: "sext", Int16: "sext", Uint8: "zext", Uint16: "zext"}[t]
		if extend == "" {
			fmt.Fprintf(&b, "define %[2]s @get_%[1]s() { %%x = load %[2]s, %[3]s @v_%[1]s\n ret %[2]s %%x }\n", t, name, p)
		} else {
			fmt.Fprintf(&b, "define i32 @get_%[1]s() { %%x = load %[2]s, %[3]s @v_%[1]s\n %%y = %[4]s %[2]s %%x to i32\n ret i32 %%y }\n", t, name, p, extend)
		}
	}
	b.WriteString("@array = global [9000 x i32] zeroinitializer, align 16\n")
	fmt.Fprintf(&b, "define %s @get_array() { ret %[1]s getelementptr ([9000 x i32], %s @array, i64 0, i64 0) }\n", pointer("i32"), pointer("[9000 x i32]"))
	b.WriteString("define i32 @size_array() { ret i32 36000 }\ndefine i32 @size_large() { ret i32 70000 }\n")
	return b.String()
}

// versionLLVM is the major version of llc; 0 if there is none.
func versionLLVM() (version int) {
	out, _ := exec.Command("llc", "--version").Output()
	_, after, _ := strings.Cut(string(out), "LLVM version ")
	fmt.Sscan(strings.ReplaceAll(after, ".", " "), &version)
	return version
}

// Compilers make the same accessors, up to the addresses, which are for the linker to
// fill in.
func TestAccessorsLikeCompilers(t *testing.T) {
	for _, test := range []struct {
		machine Machine
		source  string
		tool    string
		args    []string
	}{
		{AMD64, sourceC(), "x86_64-w64-mingw32-gcc", []string{"-O2", "-c"}},
		// Without SSE, for any 386.
		{I386, sourceC(), "x86_64-w64-mingw32-gcc", []string{"-O2", "-c", "-m32", "-mno-sse"}},
		{ARM64, sourceLLVM(versionLLVM()), "llc", []string{"-O2", "-mtriple=aarch64-pc-windows-msvc", "-filetype=obj"}},
	} {
		t.Run(test.machine.String(), func(t *testing.T) {
			needTool(t, test.tool)
			dir := t.TempDir()
			source, object := filepath.Join(dir, "accessors.c"), filepath.Join(dir, "accessors.o")
			if err := os.WriteFile(source, []byte(test.source), 0o600); err != nil {
				t.Fatal(err)
			}
			runTool(t, test.tool, append(test.args, "-o", object, source)...)
			f, err := stdpe.Open(object)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			code, err := f.Section(".text").Data()
			if err != nil {
				t.Fatal(err)
			}
			addresses := map[int]bool{} // where the linker has something to fill in
			for _, r := range f.Section(".text").Relocs {
				addresses[int(r.VirtualAddress)] = true
			}
			compared := 0
			for _, s := range f.Symbols {
				emit := emitter(architectures[test.machine], strings.TrimPrefix(s.Name, "_"))
				if emit == nil {
					continue
				}
				compared++
				compareCode(t, test.machine, s.Name, code, int(s.Value), addresses, emit)
			}
			if want := 2*len(allTypes) + 3; compared != want {
				t.Errorf("compared %d functions, want %d", compared, want)
			}
		})
	}
}

// emitter returns what makes the function of that name.
func emitter(arch *architecture, name string) func(a *assembler, place uint32) {
	what, t, _ := strings.Cut(name, "_")
	switch {
	case name == "get_array":
		return arch.address
	case name == "size_array":
		return func(a *assembler, _ uint32) { arch.constant(a, 36000) }
	case name == "size_large":
		return func(a *assembler, _ uint32) { arch.constant(a, 70000) }
	case what == "get" && Type(t).Size() > 0:
		return func(a *assembler, place uint32) { arch.load(a, Type(t), place) }
	case what == "set" && Type(t).Size() > 0:
		return func(a *assembler, place uint32) { arch.store(a, Type(t), place) }
	}
	return nil
}

// compareCode compares a function at an offset of compiled code with ours, and computes what our
// code addresses.
func compareCode(t *testing.T, m Machine, name string, compiled []byte, off int, addresses map[int]bool, emit func(*assembler, uint32)) {
	t.Helper()
	const start, place = 0x7004, 0x12345670
	base := architectures[m].base
	a := &assembler{rva: start, base: base}
	emit(a, place)
	le := binary.LittleEndian
	ours := bytes.Clone(a.code)
	theirs := bytes.Clone(compiled[off:][:len(ours)])
	addressed, page := uint64(0), uint32(0)
	for i := range ours {
		if !addresses[off+i] {
			continue
		}
		word := le.Uint32(ours[i:])
		mask := uint32(0) // of what is compared
		switch m {
		case AMD64:
			addressed = uint64(start + uint32(i) + 4 + word)
		case I386:
			at := uint64(word) - base
			if addressed != 0 && at != addressed+4 {
				t.Errorf("%s: the second half is at %#x", name, at)
			} else if addressed == 0 {
				addressed = at
			}
			if !bytes.Equal(le.AppendUint32(nil, a.fixups[0]), le.AppendUint32(nil, start+uint32(i))) {
				t.Errorf("%s: fixups %#x, want %#x", name, a.fixups, start+i)
			}
			a.fixups = a.fixups[1:]
		case ARM64:
			if word>>24&0x9f == 0x90 { // adrp
				mask = 0x9f00001f
				page = uint32(start&^0xfff) + (word>>5&(1<<19-1)<<2|word>>29&3)<<12
				break
			}
			mask = 0xffc003ff
			scale := uint32(0) // bits 31:30 are the size, except for add
			if word>>24 != 0x91 {
				scale = word >> 30
			}
			addressed = uint64(page + word>>10&0xfff<<scale)
		}
		le.PutUint32(ours[i:], word&mask)
		le.PutUint32(theirs[i:], le.Uint32(theirs[i:])&mask)
	}
	if !bytes.Equal(ours, theirs) {
		t.Errorf("%s is % x, the compiler's % x", name, ours, theirs)
	}
	if strings.HasPrefix(name, "size_") || strings.HasPrefix(name, "_size_") {
		return
	}
	if addressed != place || len(a.fixups) != 0 {
		t.Errorf("%s addresses %#x, want %#x; fixups left %#x", name, addressed, place, a.fixups)
	}
}
