package pe

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/partywall/partywall"
)

func TestAddSectionRefuses(t *testing.T) {
	rws := Read | Write | Shared
	for _, test := range []struct {
		name   string
		change func(*sketch)
		s      NewSection
		o      PatchOptions
		is     error
		want   string
	}{
		{"no name", nil, NewSection{Size: 1}, PatchOptions{}, ErrSectionName, "it is empty"},
		{"long name", nil, NewSection{Name: "SectionAB", Size: 1}, PatchOptions{}, ErrSectionName, `"SectionAB" has 9 bytes; there is room for 8`},
		{"umlaut", nil, NewSection{Name: "Zähler", Size: 1}, PatchOptions{}, ErrSectionName, "printable ASCII"},
		{"blank", nil, NewSection{Name: "a b", Size: 1}, PatchOptions{}, ErrSectionName, "printable ASCII"},
		{"string table", nil, NewSection{Name: "/4", Size: 1}, PatchOptions{}, ErrSectionName, "string table"},
		{"reserved", nil, NewSection{Name: ".tls", Size: 1}, PatchOptions{Force: true}, ErrSectionName, `".tls" is reserved`},
		{"debug", nil, NewSection{Name: ".debugX", Size: 1}, PatchOptions{}, ErrSectionName, "reserved"},
		{"taken", nil, NewSection{Name: "SectionA", Size: 1}, PatchOptions{}, ErrSectionName, `there is a section "SectionA" already`},
		{"empty", nil, NewSection{Name: "x"}, PatchOptions{}, nil, "a size of 0 bytes"},
		{"negative", nil, NewSection{Name: "x", Size: -1}, PatchOptions{}, nil, "a size of -1 bytes"},
		{"Init", nil, NewSection{Name: "x", Size: 1, Init: []byte("ab")}, PatchOptions{}, nil, "Init has 2 bytes and the section 1"},
		{"3 GiB", nil, NewSection{Name: "x", Size: 3 << 30}, PatchOptions{}, partywall.ErrTooLarge, "images have at most 2147483648"},
		{"2 GiB", nil, NewSection{Name: "x", Size: 2 << 30}, PatchOptions{}, partywall.ErrTooLarge, "the image has 2147504128 bytes"},
		{"uninitialised", nil, NewSection{Name: "x", Size: 1, Flags: rws | Uninitialised}, PatchOptions{}, nil, "leave Uninitialised out"},
		{"executable", nil, NewSection{Name: "x", Size: 1, Flags: rws | Execute}, PatchOptions{Force: true}, ErrUnshareable, "lets every process run code in every other"},
		{"unreadable", nil, NewSection{Name: "x", Size: 1, Flags: Write | Shared}, PatchOptions{}, ErrUnshareable, "has to be readable"},
		{".NET", func(k *sketch) { k.directories[DirCLR] = Directory{0x2000, 72} }, NewSection{Name: "x", Size: 1}, PatchOptions{Force: true}, ErrUnshareable, "is a .NET assembly"},
		{"headers end", func(k *sketch) { k.headers = 0x80 + 24 + 240 + 4*40 + 39 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrNoRoom,
			"the section table ends at offset 0x228, one more entry has 40 bytes, and the headers end at 0x24f"},
		{"data begins", func(k *sketch) { k.sections[2].RawOffset = 0x240 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrNoRoom,
			`and the data of section "SectionA" begins at 0x240`},
		{"in use", func(k *sketch) { k.put(0x228+39, "x") }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrNoRoom, "there is something else behind the section table at offset 0x228"},
		{"in a directory", func(k *sketch) { k.directories[DirDebug] = Directory{0x230, 28} }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrNoRoom,
			"the debug directory is behind the section table"},
		{"many", func(k *sketch) {
			k.headers, k.size, k.sections, k.contents = 0x2000, 0x3000, nil, nil
			for i := range 96 {
				k.sections = append(k.sections, Section{Name: fmt.Sprint("s", i), VirtualSize: 1, VirtualAddress: uint32(2+i) << 12})
			}
		}, NewSection{Name: "x", Size: 1}, PatchOptions{}, partywall.ErrTooLarge, "the file has 96 sections; Windows allows 96"},
		{"driver", func(k *sketch) { k.sectionAlign, k.fileAlign = 0x80, 0x80 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "SectionAlignment 0x80"},
		{"small sections", func(k *sketch) { k.sectionAlign = 0x800 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "the first at least 0x1000"},
		{"small sectors", func(k *sketch) { k.fileAlign = 0x100 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "the second 0x200 to 0x10000"},
		{"large sectors", func(k *sketch) { k.sectionAlign, k.fileAlign = 1<<17, 1<<17 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "to 0x10000"},
		{"alignment", func(k *sketch) { k.fileAlign = 0x300 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "powers of two"},
		{"no alignment", func(k *sketch) { k.sectionAlign, k.fileAlign = 0, 0 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "powers of two"},
		{"swapped", func(k *sketch) { k.sectionAlign, k.fileAlign = 0x1000, 0x2000 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "not the larger one"},
		{"signed", func(k *sketch) { k.directories[DirSecurity] = Directory{0xe00, 0x210} }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrSigned, "have it stripped"},
		{"cut off", func(k *sketch) { k.size = 0xdff }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat,
			`at offset 0xdff: the file ends, and the data of section "SectionB" at offset 0xe00; it is cut off`},
		{"headers overlap", func(k *sketch) { k.lfanew = 0x20 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "such a file is not patched"},
		{"tables overlap", func(k *sketch) { k.optionalSize = 200 }, NewSection{Name: "x", Size: 1}, PatchOptions{}, ErrFormat, "the section table overlaps the optional header"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := roomy()
			if test.change != nil {
				test.change(&k)
			}
			p, err := parsed(t, k.draw()).AddSection(test.s, test.o)
			if p != nil || err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestSetFlagsRefuses(t *testing.T) {
	rws := Read | Write | Shared
	at := func(i int) func(*sketch) { // a data directory in SectionA
		return func(k *sketch) { k.directories[i] = Directory{0x2ff8, 16} }
	}
	for _, test := range []struct {
		name   string
		change func(*sketch)
		s      string
		flags  SectionFlags
		is     error
		want   string
		forced bool // Force lets it through
	}{
		{"missing", nil, "sectiona", rws, ErrNoSection, `"sectiona"; there are: ".text", ".data", "SectionA", "SectionB"`, false},
		{"twice", func(k *sketch) { k.sections[3].Name = "SectionA" }, "SectionA", rws, ErrSectionName, `sections 3 and 4 are both called "SectionA"`, false},
		{"executable", nil, "SectionA", rws | Execute, ErrUnshareable, "leave one out", false},
		{"unreadable", nil, "SectionA", Shared, ErrUnshareable, "readable", false},
		{"no data", func(k *sketch) { k.sections[2].RawSize = 0 }, "SectionA", rws, ErrUnshareable, "initialise the variables, even with zeros", false},
		{"no offset", func(k *sketch) { k.sections[2].RawOffset = 0 }, "SectionA", rws, ErrUnshareable, "uninitialised", false},
		{"bss", func(k *sketch) { k.sections[2].Flags |= Uninitialised }, "SectionA", rws, ErrUnshareable, "uninitialised", false},
		{"address", func(k *sketch) { k.sections[2].VirtualAddress = 0x3800 }, "SectionA", rws, ErrUnshareable, "at address 0x3800 it has no pages of its own", false},
		{"driver", func(k *sketch) { k.sectionAlign = 0x200 }, "SectionA", rws, ErrUnshareable, "pages of its own", false},
		{"signed", func(k *sketch) { k.directories[DirSecurity] = Directory{0, 8} }, "SectionA", rws, ErrSigned, "signed", false},
		{"cut off", func(k *sketch) { k.size = 0xc00 }, "SectionA", rws, ErrFormat, "it is cut off", false},
		{"reserved", nil, ".data", rws, ErrUnshareable, "linkers use the name", true},
		{"tail", func(k *sketch) { k.sections[2].VirtualSize = 0x1001 }, "SectionA", rws, ErrUnshareable, "4097 bytes in memory and 512 in the file", true},
		{"entry point", func(k *sketch) { k.put(k.lfanew+24+16, "\xff\x3f\x00\x00") }, "SectionA", rws, ErrUnshareable, "the program begins there, at address 0x3fff", true},
		{"exports", at(DirExport), "SectionA", rws, ErrUnshareable, "the export directory is there, at address 0x2ff8", true},
		{"TLS", at(DirTLS), "SectionA", rws, ErrUnshareable, "the directory of thread-local storage", true},
		{"empty directory", func(k *sketch) { k.directories[DirIAT] = Directory{0x3000, 0} }, "SectionA", rws, ErrUnshareable, "the import address table", true},
		{"unnamed directory", at(15), "SectionA", rws, ErrUnshareable, "data directory 15", true},
		{"pointer", func(k *sketch) { k.words32(relocRVA, 0x3000); k.shift() }, "SectionA", rws, ErrUnshareable,
			"it holds an address, at address 0x3008, which the loader changes in every process", true},
		{"half a pointer", func(k *sketch) { k.words32(relocRVA, 0x2000); k.words16(relocRVA+8, 10<<12|0xff9); k.shift() }, "SectionA", rws, ErrUnshareable,
			"at address 0x2ff9", true},
		{"bad relocations", func(k *sketch) { k.words32(relocRVA, 0x1000, 7); k.shift() }, "SectionA", rws, ErrUnshareable,
			"whether it holds addresses cannot be told", true},
		{"import", func(k *sketch) { k.words32(importRVA, importRVA+0x40, 0, 0, textRVA+0x40, 0x3100); k.shift() }, "SectionA", rws, ErrUnshareable,
			`the loader writes addresses of "kernel32.dll" there, at address 0x3100`, true},
		{"bad imports", func(k *sketch) { k.words32(importRVA, 0, 0, 0, 0x99999, importRVA+0x40); k.shift() }, "SectionA", rws, ErrUnshareable,
			"whether it holds addresses cannot be told", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := roomy()
			if test.change != nil {
				test.change(&k)
			}
			f := parsed(t, k.draw())
			p, err := f.SetFlags(test.s, test.flags, PatchOptions{})
			if p != nil || err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, test.is) {
				t.Errorf("%v, want %q", err, test.want)
			}
			p, err = f.SetFlags(test.s, test.flags, PatchOptions{Force: true})
			if (err == nil) != test.forced || test.forced && !bytes.Equal(written(t, p)[:2], []byte("MZ")) {
				t.Errorf("forced: %v", err)
			}
		})
	}
	// Addresses may end where a section begins.
	k := roomy()
	k.words32(relocRVA, 0x2000)
	k.words16(relocRVA+8, 1<<12|0xffe, 2<<12|0xffe, 3<<12|0xffc, 10<<12|0xff8, 0, 0)
	k.shift()
	if _, err := parsed(t, k.draw()).SetFlags("SectionA", rws, PatchOptions{}); err != nil {
		t.Error(err)
	}
	// What is not shared is not looked at.
	k = roomy()
	if _, err := parsed(t, k.draw()).SetFlags(".data", Read|Write|Execute, PatchOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := parsed(t, k.draw()).SetFlags("SectionA", 0, PatchOptions{}); err != nil {
		t.Error(err)
	}
}

// shift moves what was put at an address of a plain file to where it is in a roomy one.
func (s *sketch) shift() {
	for i := range s.contents {
		if c := &s.contents[i]; i >= len(roomy().contents) {
			c.off += 0x200
		}
	}
}

func TestStripSignature(t *testing.T) {
	table := strings.Repeat("certificate ", 22)
	for _, test := range []struct {
		name    string
		change  func(*sketch)
		entry   Directory
		size    int
		overlay string // of the result
	}{
		{"at the end", nil, Directory{0xf00, 264}, 0xf00, ""},
		{"padded", func(k *sketch) { k.size += 7 }, Directory{0xf00, 264}, 0xf00, ""},
		{"before an overlay", func(k *sketch) { k.size += 8; k.put(0xf00+264, "overlaid") }, Directory{0xf00, 264}, 0xf00 + 264 + 8, table + "overlaid"},
		{"in a section", nil, Directory{0xc00, 0x408}, 0xf00 + 264, ""},
		{"in the symbol table", func(k *sketch) { k.symbols, k.nSymbols = 0xe00, 20 }, Directory{0xf00, 264}, 0xf00 + 264, ""},
		{"out of the file", nil, Directory{0xf00, 265}, 0xf00 + 264, ""},
		{"without a size", nil, Directory{0xf00, 0}, 0xf00 + 264, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := roomy()
			k.size = 0xf00 + 264
			k.directories[DirSecurity] = test.entry
			k.put(0xf00, table)
			if test.change != nil {
				test.change(&k)
			}
			old := k.draw()
			f := parsed(t, old)
			if _, err := f.SetFlags("SectionA", Read, PatchOptions{}); !errors.Is(err, ErrSigned) {
				t.Fatal(err)
			}
			p, err := f.SetFlags("SectionA", Read, PatchOptions{StripSignature: true})
			if err != nil {
				t.Fatal(err)
			}
			b := written(t, p)
			if len(b) != test.size || !bytes.HasSuffix(b, []byte(test.overlay)) {
				t.Errorf("%#x bytes, want %#x, and %q at the end", len(b), test.size, test.overlay)
			}
			sameBut(t, old[:len(b)], b, fields{
				f.Offsets.Directories + 4*8: 8, f.Offsets.SectionTable + 2*40 + 36: 4, f.Offsets.PE + 24 + 64: 4,
			})
			if _, _, ok := parsed(t, b).Signature(); ok {
				t.Error("it is signed")
			}
			// A new section comes behind what is left.
			p, err = f.AddSection(NewSection{Name: "x", Init: []byte("x")}, PatchOptions{StripSignature: true})
			if err != nil {
				t.Fatal(err)
			}
			b = written(t, p)
			if want := (test.size + 0x1ff) &^ 0x1ff; len(b) != want+0x200 || b[want] != 'x' {
				t.Errorf("%#x bytes", len(b))
			}
		})
	}
}

func TestPatchLoaded(t *testing.T) {
	k := roomy()
	b := k.draw()
	f, err := parse(bytes.NewReader(b), int64(len(b)), true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.SetFlags("SectionA", Read, PatchOptions{}); err == nil || !strings.Contains(err.Error(), "loaded image") {
		t.Error(err)
	}
}
