package pe

import (
	"bytes"
	stdpe "debug/pe"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawDLL draws any DLL that Check accepts, of a few pages.
func drawDLL(t *rapid.T) *DLL {
	used := map[string]bool{}
	name := func(what string) string {
		n := rapid.StringMatching(`[!-9;-~]{1,12}`).Filter(func(s string) bool { return !used[s] && !used[s+"_size"] }).Draw(t, what)
		used[n], used[n+"_size"] = true, true
		return n
	}
	private := map[string]bool{}
	var sections []string
	for range rapid.IntRange(1, 6).Draw(t, "sections") {
		s := rapid.StringMatching(`[A-Za-z_.?@$][!-9;-~]{0,7}`).Filter(func(s string) bool { return checkSectionName(s) == nil }).Draw(t, "section")
		sections = append(sections, s)
		private[s] = rapid.Bool().Draw(t, "private")
	}
	d := &DLL{
		Name:      rapid.StringMatching(`[a-z]{1,10}\.dll`).Draw(t, "dll"),
		Machine:   rapid.SampledFrom(machines).Draw(t, "machine"),
		Timestamp: rapid.Uint32().Draw(t, "timestamp"),
	}
	for range rapid.IntRange(0, 20).Draw(t, "vars") {
		v := Var{
			Section: rapid.SampledFrom(sections).Draw(t, "in"),
			Name:    name("variable"),
			Type:    rapid.SampledFrom(allTypes).Draw(t, "type"),
			Count:   rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 3000)).Draw(t, "count"),
		}
		v.Private = private[v.Section]
		v.Initial = rapid.SliceOfN(rapid.Byte(), 0, int(min(v.size(), 40))).Draw(t, "initial")
		if rapid.Bool().Draw(t, "get") {
			v.Getter = name("getter")
		}
		if v.Count == 0 && rapid.Bool().Draw(t, "set") {
			v.Setter = name("setter")
		}
		d.Vars = append(d.Vars, v)
	}
	forwards := rapid.IntRange(0, 3).Draw(t, "forwards")
	if len(d.Vars) == 0 {
		forwards++
	}
	for range forwards {
		d.Forwards = append(d.Forwards, Forward{name("forward"), rapid.StringMatching(`[A-Z]{1,8}\.([a-zA-Z0-9]{1,8}|#[1-9][0-9]{0,3})`).Draw(t, "target")})
	}
	return d
}

// dllMemory is the image as a loader lays it out, made of what debug/pe reads.
func dllMemory(t rapid.TB, f *stdpe.File, size uint32) []byte {
	m := make([]byte, size)
	for _, s := range f.Sections {
		b, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		copy(m[s.VirtualAddress:], b[:min(s.VirtualSize, s.Size)])
	}
	return m
}

func textAt(m []byte, rva uint32) string {
	s, _, _ := bytes.Cut(m[rva:], []byte{0})
	return string(s)
}

// readExports reads the exports: names with places, or with "=TARGET" for forwards.
func readExports(t rapid.TB, m []byte, dir stdpe.DataDirectory) (name string, exports map[string]string) {
	le := binary.LittleEndian
	d := m[dir.VirtualAddress:]
	n := le.Uint32(d[24:])
	functions, names, ordinals := le.Uint32(d[28:]), le.Uint32(d[32:]), le.Uint32(d[36:])
	exports = map[string]string{}
	last := ""
	for i := range n {
		name := textAt(m, le.Uint32(m[names+4*i:]))
		if last != "" && name <= last {
			t.Fatalf("export %q comes after %q", name, last)
		}
		last = name
		rva := le.Uint32(m[functions+4*uint32(le.Uint16(m[ordinals+2*i:])):])
		exports[name] = fmt.Sprint(rva)
		if rva-dir.VirtualAddress < dir.Size {
			exports[name] = "=" + textAt(m, rva)
		}
	}
	return textAt(m, le.Uint32(d[12:])), exports
}

// What debug/pe reads is what was asked for.
func TestDLLProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDLL(t)
		var file bytes.Buffer
		if _, err := d.WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		f, err := stdpe.NewFile(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		var h stdpe.OptionalHeader64
		switch o := f.OptionalHeader.(type) {
		case *stdpe.OptionalHeader64:
			h = *o
		case *stdpe.OptionalHeader32:
			h = stdpe.OptionalHeader64{ImageBase: uint64(o.ImageBase), SizeOfImage: o.SizeOfImage, SizeOfHeaders: o.SizeOfHeaders, DataDirectory: o.DataDirectory}
		}
		if f.Machine != uint16(d.Machine) || f.TimeDateStamp != d.Timestamp || f.Characteristics&stdpe.IMAGE_FILE_DLL == 0 {
			t.Errorf("file header %+v", f.FileHeader)
		}

		// The sections lie side by side, in the file and in memory.
		flags := map[string]uint32{".edata": 0x40000040}
		for _, v := range d.Vars {
			flags[v.Section] = 0xd0000040
			if v.Private {
				flags[v.Section] = 0xc0000040
			}
			if v.Getter != "" || v.Setter != "" || v.Count > 0 {
				flags[".text"] = 0x60000020
			}
		}
		raw, place := h.SizeOfHeaders, (h.SizeOfHeaders+0xfff)&^0xfff
		got := map[string]uint32{}
		for _, s := range f.Sections {
			got[s.Name] = s.Characteristics
			if s.Size == 0 || s.Size%0x200 != 0 || s.Size < s.VirtualSize || s.Offset != raw || s.VirtualAddress != place {
				t.Errorf("section %+v; it should be at %#x in the file, at %#x in memory", s.SectionHeader, raw, place)
			}
			raw += s.Size
			place += (s.VirtualSize + 0xfff) &^ 0xfff
		}
		if int(raw) != file.Len() || place != h.SizeOfImage {
			t.Errorf("the file ends at %#x, not %#x; the image at %#x, not %#x", file.Len(), raw, h.SizeOfImage, place)
		}
		delete(got, ".reloc")
		if diff := cmp.Diff(flags, got); diff != "" {
			t.Error(diff)
		}

		m := dllMemory(t, f, h.SizeOfImage)
		name, exports := readExports(t, m, h.DataDirectory[0])
		if name != d.Name {
			t.Errorf("the name is %q", name)
		}
		checkExports(t, d, f, m, exports)
		checkRelocs(t, f, m, h, flags)

		ours, err := New(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if w := ours.Warnings(); len(w) != 0 {
			t.Errorf("warnings: %q", w)
		}
		if sum, err := ours.ComputeChecksum(); err != nil || sum != ours.Optional.CheckSum {
			t.Errorf("checksum %#x, %v; the header has %#x", sum, err, ours.Optional.CheckSum)
		}
		e, err := ours.Exports()
		if err != nil || len(e.Symbols) != len(exports) {
			t.Errorf("%d exports, %v; want %d", len(e.Symbols), err, len(exports))
		}
	})
}

// checkExports compares the variables' contents and the accessors' code, and sees that
// there is nothing else.
func checkExports(t rapid.TB, d *DLL, f *stdpe.File, m []byte, exports map[string]string) {
	left := maps.Clone(exports)
	take := func(name string) (rva uint32) {
		fmt.Sscan(left[name], &rva)
		delete(left, name)
		return rva
	}
	section := func(name string) *stdpe.Section {
		return f.Sections[slices.IndexFunc(f.Sections, func(s *stdpe.Section) bool { return s.Name == name })]
	}
	arch := architectures[d.Machine]
	end := map[string]uint32{}
	for _, v := range d.Vars {
		rva, s := take(v.Name), section(v.Section)
		want := append(slices.Clone(v.Initial), make([]byte, v.size()-uint64(len(v.Initial)))...)
		if rva < s.VirtualAddress+end[v.Section] || rva+uint32(len(want)) > s.VirtualAddress+s.VirtualSize {
			t.Errorf("%s is at %#x, where it does not belong: %+v", v.Name, rva, s.SectionHeader)
		} else if !bytes.Equal(m[rva:][:len(want)], want) || rva%uint32(v.Type.Size()) != 0 || v.Count > 0 && rva%16 != 0 {
			t.Errorf("%s is %x, want %x, at %#x", v.Name, m[rva:][:len(want)], want, rva)
		}
		end[v.Section] = rva - s.VirtualAddress + uint32(len(want))
		for _, accessor := range arch.accessors(&v, rva) {
			at := take(accessor.name)
			a := &assembler{rva: at, base: arch.base}
			accessor.emit(a)
			if !bytes.HasPrefix(m[at:], a.code) || at%16 != 0 {
				t.Errorf("%s is %x, want %x", accessor.name, m[at:][:len(a.code)], a.code)
			}
		}
	}
	for _, fw := range d.Forwards {
		if exports[fw.Name] != "="+fw.Target {
			t.Errorf("forward %s: %s", fw.Name, exports[fw.Name])
		}
		delete(left, fw.Name)
	}
	if len(left) != 0 {
		t.Errorf("more exports: %v", left)
	}
}

// checkRelocs sees that fixups are for 386, in the code and nowhere else, and that what
// they correct are addresses of variables.
func checkRelocs(t rapid.TB, f *stdpe.File, m []byte, h stdpe.OptionalHeader64, flags map[string]uint32) {
	le := binary.LittleEndian
	dir := h.DataDirectory[stdpe.IMAGE_DIRECTORY_ENTRY_BASERELOC]
	if f.Machine != stdpe.IMAGE_FILE_MACHINE_I386 && dir.Size != 0 {
		t.Errorf("relocations %+v", dir)
	}
	for b := m[dir.VirtualAddress:][:dir.Size]; len(b) > 0; {
		page, size := le.Uint32(b), le.Uint32(b[4:])
		if size%4 != 0 || size <= 8 {
			t.Fatalf("a block of %d bytes", size)
		}
		for i := uint32(8); i < size; i += 2 {
			entry := le.Uint16(b[i:])
			if entry == 0 && i == size-2 {
				continue
			}
			at := page + uint32(entry&0xfff)
			target := le.Uint32(m[at:]) - uint32(h.ImageBase)
			in := func(rva uint32) string {
				for _, s := range f.Sections {
					if rva-s.VirtualAddress < s.VirtualSize {
						return s.Name
					}
				}
				return ""
			}
			if entry>>12 != 3 || in(at) != ".text" || flags[in(target)]&0x80000000 == 0 {
				t.Errorf("fixup %#x at %#x in %q for %#x in %q", entry, at, in(at), target, in(target))
			}
		}
		b = b[size:]
	}
}

// Fixups on several pages, where one of a page's last lies on the next page in part.
func TestDLLRelocs(t *testing.T) {
	got := dllRelocs([]uint32{0x1002, 0x1ffe, 0x3001})
	want := []byte{
		0, 0x10, 0, 0, 12, 0, 0, 0, 0x02, 0x30, 0xfe, 0x3f,
		0, 0x30, 0, 0, 12, 0, 0, 0, 0x01, 0x30, 0, 0,
	}
	if !bytes.Equal(got, want) {
		t.Errorf("% x", got)
	}
}

// As many sections as there can be: their headers need more than a page.
func TestDLLSections(t *testing.T) {
	d := DLL{Name: "a.dll"}
	for i := range maxSections - 3 {
		d.Vars = append(d.Vars, mustVar(t, fmt.Sprintf("s%d:x%d:int32=%d:get%d", i, i, i, i)))
	}
	image, err := d.image()
	if err != nil {
		t.Fatal(err)
	}
	f, err := stdpe.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	if first := f.Sections[0]; len(f.Sections) != maxSections-1 || first.VirtualAddress != 0x2000 {
		t.Errorf("%d sections from %#x on", len(f.Sections), first.VirtualAddress)
	}
	if !strings.HasPrefix(string(image), "MZ") {
		t.Error("no DOS header")
	}
}
