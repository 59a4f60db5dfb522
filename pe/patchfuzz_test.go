package pe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/partywall/partywall"
)

const patchSeeds = "testdata/fuzz/FuzzPatch"

// patchSeed is a seed of FuzzPatch.
type patchSeed struct {
	name    string
	change  func(*sketch)
	section string
	flags   SectionFlags
	size    int64
	init    string
	strip   bool
}

func patchSeedsAll() []patchSeed {
	rws := Read | Write | Shared
	signed := func(at, size uint32) func(*sketch) {
		return func(k *sketch) { k.directories[DirSecurity] = Directory{at, size} }
	}
	return []patchSeed{
		{"plain", nil, "SectionA", rws, 8, "init", false},
		{"pe32", func(k *sketch) { k.pe32 = true }, "SectionB", rws, 0, "init", false},
		{"no-room", func(k *sketch) { k.headers = 0x240 }, "x", rws, 8, "", false},
		{"bound", func(k *sketch) { k.directories[DirBoundImport] = Directory{0x228, 64}; k.put(0x228, "bound") }, "x", rws, 8, "", false},
		{"signed", signed(0xe00, 0x210), "SectionA", rws, 8, "", true},
		{"signed-nowhere", signed(0xffffffff, 0xffffffff), "SectionA", rws, 8, "", true},
		{"signed-headers", signed(0x80, 0xf90), "SectionA", rws, 8, "", true},
		{"symbols", func(k *sketch) { k.symbols, k.nSymbols = 0xe00, 3; k.sections[2].Name = "/4" }, "overlay", rws, 8, "", false},
		{"few-directories", func(k *sketch) { k.nDirectories = 2 }, "SectionA", rws, 8, "", false},
		{"end-of-addresses", func(k *sketch) { k.sections[3].VirtualAddress = 0xfffff000 }, "x", rws, 8, "", false},
		{"end-of-offsets", func(k *sketch) { k.sections[3].RawOffset = 0xffffff00 }, "x", rws, 8, "", false},
		{"data-in-headers", func(k *sketch) { k.sections[2].RawOffset = 1 }, "x", rws, 8, "", false},
		{"headers-overlap", func(k *sketch) { k.lfanew = 4 }, "SectionA", rws, 8, "", false},
		{"odd", func(k *sketch) { k.lfanew = 0x81 }, "SectionA", rws, 8, "", false},
		{"table-in-the-optional-header", func(k *sketch) { k.optionalSize = 100 }, "SectionA", rws, 8, "", false},
		{"table-in-the-coff-header", func(k *sketch) { k.optionalSize = 1 }, "x", rws, 8, "", false},
		{"no-sections", func(k *sketch) { k.sections = nil }, "x", 0, 1 << 20, "", false},
		{"large-headers", func(k *sketch) { k.headers = 0xffffffff }, "x", rws, 8, "", false},
		{"alignment", func(k *sketch) { k.sectionAlign = 1 << 31 }, "x", rws, 8, "", false},
		{"huge", nil, "x", rws, 1 << 62, "", false},
		{"executable", nil, "SectionA", rws | Execute, 8, "", false},
		{"reserved", nil, ".data", rws, 8, "", false},
		{"cut", func(k *sketch) { k.size = 0x900 }, "SectionA", rws, 8, "", false},
	}
}

func (s *patchSeed) file() []byte {
	k := roomy()
	if s.change != nil {
		s.change(&k)
	}
	return k.draw()
}

// TestPatchSeeds compares the seeds of FuzzPatch with what they are made from.
func TestPatchSeeds(t *testing.T) {
	for _, s := range patchSeedsAll() {
		path := filepath.Join(patchSeeds, s.name)
		want := fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\nstring(%q)\nuint32(%d)\nint64(%d)\n[]byte(%q)\nbool(%v)\nbool(false)\n",
			s.file(), s.section, uint32(s.flags), s.size, s.init, s.strip)
		if *updateSeeds {
			if err := errors.Join(os.MkdirAll(patchSeeds, 0o755), os.WriteFile(path, want, 0o644)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the seed of that name: %v; go test -run TestPatchSeeds -update-seeds writes it", path, err)
		}
	}
}

// Whatever is patched is refused with an error of the documented ones, or is a file that says
// what was asked for, and has every other byte that it had.
func FuzzPatch(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte, section string, flags uint32, size int64, init []byte, strip, force bool) {
		file, err := New(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		o := PatchOptions{StripSignature: strip, Force: force}
		security := fields{}
		if file.Directory(DirSecurity) != (Directory{}) {
			security[file.Offsets.Directories+4*8] = 8
		}
		p, err := file.SetFlags(section, SectionFlags(flags), o)
		fuzzPatched(t, err, ErrSigned, ErrNoSection, ErrSectionName, ErrUnshareable, ErrFormat)
		if err == nil {
			i, _ := file.sectionIndex(section)
			patched := written(t, p)
			m := fields{file.Offsets.SectionTable + int64(i)*40 + 36: 4, file.Offsets.CheckSum: 4}
			sameBut(t, b[:min(len(b), len(patched))], patched, merged(m, security))
			g := parsed(t, patched)
			if s := g.Sections[i]; s.Name != section || s.Flags&memoryFlags != SectionFlags(flags)&memoryFlags {
				t.Errorf("%+v", s)
			}
			fuzzChecksum(t, g)
		}

		if size > 1<<24 && size < maxImage {
			return // the checksum takes its time
		}
		s := NewSection{Name: section, Flags: SectionFlags(flags), Size: size, Init: init}
		p, err = file.AddSection(s, o)
		if err != nil && (size <= 0 || size < int64(len(init)) || s.Flags.Has(Uninitialised)) {
			return
		}
		fuzzPatched(t, err, ErrSigned, ErrNoRoom, ErrSectionName, ErrUnshareable, ErrFormat, partywall.ErrTooLarge)
		if err != nil {
			return
		}
		patched := written(t, p)
		sameBut(t, b[:min(len(b), int(p.keep))], patched, merged(added(file), security))
		g := parsed(t, patched)
		if got := g.Section(section); got == nil || size != 0 && int64(got.VirtualSize) != size || len(g.Sections) != len(file.Sections)+1 {
			t.Errorf("%+v of %d", got, len(g.Sections))
		}
		fuzzChecksum(t, g)
	})
}

func merged(a, b fields) fields {
	for off, n := range b {
		a[off] = n
	}
	return a
}

func fuzzPatched(t *testing.T, err error, allowed ...error) {
	for _, e := range allowed {
		if err == nil || errors.Is(err, e) {
			return
		}
	}
	t.Errorf("undocumented: %v", err)
}

func fuzzChecksum(t *testing.T, f *File) {
	if sum, err := f.ComputeChecksum(); err != nil || sum != f.Optional.CheckSum {
		t.Errorf("checksum %#x, computed %#x, %v", f.Optional.CheckSum, sum, err)
	}
}
