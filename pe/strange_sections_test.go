package pe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// What is strange about sections.
func strangeSections() []strange {
	return []strange{
		{name: "no-sections", change: func(s *sketch) { s.sections, s.directories = nil, nil }, warns: "no sections", check: func(t *testing.T, f *File) {
			if _, err := f.ReadRVA(make([]byte, 1), 0x1000); err == nil {
				t.Error("address 0x1000 is mapped")
			}
		}},
		{name: "huge-count", change: func(s *sketch) { s.count = 0xFFFF }, fails: "a section table of 65535 entries"},
		{name: "count-beyond-the-file", change: func(s *sketch) { s.count = 42 }, fails: "has 2048 bytes and room for 41"},
		{name: "120-sections", change: func(s *sketch) { s.many(120) }, check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0x1000*119+0x100000, "many")
		}},
		{name: "65535-sections", large: true, change: func(s *sketch) { s.many(0xFFFF - 2) }, check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0x1000*0xFF00+0x100000, "many")
		}},
		{name: "shuffled", change: func(s *sketch) { s.sections[0], s.sections[1] = s.sections[1], s.sections[0] }, warns: "order of their addresses", check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0x1000, "code\x00")
			wantMemory(t, f, textRVA, "plain.dll")
		}},
		{name: "overlapping", change: func(s *sketch) {
			s.sections[0].VirtualSize = 0x4000
			s.sections[0].RawSize = 0x600
			s.sections = append(s.sections, s.sections[1])
			s.sections[2].RawOffset = 0x200
		}, warns: "overlap others", check: func(t *testing.T, f *File) {
			wantMemory(t, f, textRVA, "plain.dll")
			wantMemory(t, f, 0x3000, "\x00\x00\x00")
			wantMemory(t, f, 0x4FFF, "\x00")
			wantUnmapped(t, f, 0x5000)
		}},
		{name: "overlapping-headers", change: func(s *sketch) { s.sections[0].VirtualAddress = 0 }, warns: "overlap others", check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0, "code")
		}},
		{name: "virtual-gap", change: func(s *sketch) {
			s.sections = append(s.sections, Section{Name: "far", VirtualSize: 1, VirtualAddress: 0x7000_0000, RawSize: 4, RawOffset: 0x200})
			s.sizeOfImage = 0x7000_1000
		}, warns: "gaps between sections in memory: 1", check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0x7000_0000, "code\x00")
			wantUnmapped(t, f, 0x3000)
			b := make([]byte, 0x20)
			if n, err := f.ReadRVA(b, 0x2FF0); n != 0x10 || err == nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		}},
		{name: "end-of-addresses", change: func(s *sketch) {
			s.sections = append(s.sections, Section{Name: "last", VirtualSize: 0xFFFFFFFF, VirtualAddress: 0xFFFFF000, RawSize: 0x200, RawOffset: 0x200})
		}, warns: "beyond SizeOfImage", check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0xFFFFF000, "code")
			wantMemory(t, f, 0xFFFFFFFF, "\x00\x00")
		}},
		{name: "last-section-cut", bytes: func(b []byte) []byte { return b[:0x705] }, warns: "its data ends at offset 0x800, the file at 0x705", check: func(t *testing.T, f *File) {
			if n := f.Data(f.Section(".data")).Size(); n != 0x305 {
				t.Errorf("%d bytes of data", n)
			}
			wantMemory(t, f, textRVA, "plain\x00\x00\x00\x00")
		}},
		{name: "data-beyond-the-file", change: func(s *sketch) { s.sections[1].RawOffset = 0xFFFFFE00 }, warns: "its data ends at offset", check: func(t *testing.T, f *File) {
			if n := f.Data(f.Section(".data")).Size(); n != 0 {
				t.Errorf("%d bytes of data", n)
			}
			wantMemory(t, f, 0x2000, "\x00")
		}},
		{name: "uninitialised", change: func(s *sketch) {
			s.sections = append(s.sections, Section{Name: ".bss", VirtualSize: 0x123, VirtualAddress: 0x3000, RawSize: 0x200, Flags: Uninitialised})
			s.sizeOfImage = 0x4000
		}, check: func(t *testing.T, f *File) {
			if n := f.Data(f.Section(".bss")).Size(); n != 0 {
				t.Errorf("%d bytes of data", n)
			}
			wantMemory(t, f, 0x3000, "\x00")
			wantMemory(t, f, 0x3FFF, "\x00")
		}},
		{name: "empty-section", change: func(s *sketch) { s.sections = append(s.sections, Section{VirtualAddress: 0x3000}) }, warns: `section 3, "": it is empty`},
		{name: "no-virtual-size", change: func(s *sketch) { s.sections[1].VirtualSize = 0 }, check: wantPlain},
		{name: "odd-data-offset", change: func(s *sketch) { s.sections[0].RawOffset = 0x2FF }, warns: "loaders begin at 0x200", check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0x1000, "code")
		}},
		{name: "data-in-the-first-sector", change: func(s *sketch) { s.sections[0].RawOffset = 0x1FF }, check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0x1000, "\x00\x00\x00\x00")
		}},
		{name: "odd-address", change: func(s *sketch) { s.sections[0].VirtualAddress = 0x1001 }, warns: "no multiple of SectionAlignment"},
		{name: "driver", change: func(s *sketch) { // the file is mapped as it is
			s.sectionAlign, s.fileAlign, s.sizeOfImage, s.directories = 0x20, 0x20, 0x800, nil
			s.sections[0].VirtualAddress, s.sections[1].VirtualAddress = 0x200, 0x400
		}, check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0, "MZ")
			wantMemory(t, f, 0x200, "code")
			wantUnmapped(t, f, 0x800)
		}},
		{name: "low-alignment", change: func(s *sketch) { s.sectionAlign, s.fileAlign = 0x200, 0x200 }, warns: "gaps", check: func(t *testing.T, f *File) {
			wantMemory(t, f, 0x1000, "code")
			wantUnmapped(t, f, 0x1010)
		}},
		{name: "crumbs", change: func(s *sketch) { // sections of one byte, and a name across them
			s.sectionAlign, s.fileAlign, s.lfanew, s.size = 1, 1, 0x800, 0x1000
			for i := range uint32(30) {
				s.sections = append(s.sections, Section{Name: "crumb", VirtualSize: 1, VirtualAddress: textRVA + i, RawSize: 0x200, RawOffset: 0x400})
			}
		}, check: func(t *testing.T, f *File) {
			wantMemory(t, f, textRVA-2, strings.Repeat("\x00", 32))
		}},

		{name: "long-names", change: func(s *sketch) {
			s.sections[0].Name, s.sections[1].Name = "/4", "//AAAAAT"
			s.strings("\x1f\x00\x00\x00a long name...\x00another one\x00")
		}, check: func(t *testing.T, f *File) {
			if f.Section("a long name...") != &f.Sections[0] || f.Section("another one") != &f.Sections[1] || f.Section("/4") != nil {
				t.Errorf("%+v", f.Sections)
			}
		}},
		{name: "long-names-without-table", change: func(s *sketch) { s.sections[0].Name = "/4" }, warns: "and the file has none"},
		{name: "long-names-table-beyond-the-file", change: func(s *sketch) { s.sections[0].Name, s.symbols, s.nSymbols = "/4", 0x800, 0xFFFFFFFF }, warns: "which is not in the file"},
		{name: "long-names-beyond-the-table", change: func(s *sketch) {
			s.sections[0].Name, s.sections[1].Name = "/40", "//AAAAA/"
			s.strings("\x08\x00\x00\x00abc\x00defghijklmnopqrstuvwxyz0123456789")
		}, warns: "is not in the string table"},
		{name: "long-names-endless", change: func(s *sketch) {
			s.sections[0].Name, s.sections[1].Name = "/4", "/5000"
			s.strings("\xff\xff\xff\xff" + strings.Repeat("x", 5000) + "\x00")
		}, warns: "is not in the string table"},
		{name: "not-long-names", change: func(s *sketch) { s.sections[0].Name, s.sections[1].Name = "/x4", "//zzzzzz" }, check: func(t *testing.T, f *File) {
			if f.Sections[0].Name != "/x4" || f.Sections[1].Name != "//zzzzzz" || f.Warnings() != nil {
				t.Errorf("%+v %q", f.Sections, f.Warnings())
			}
		}},
		{name: "bad-long-names", change: func(s *sketch) { s.sections[0].Name, s.sections[1].Name = "//AAAA", "//\xff\xff\xff\xff\xff\xff" }},
		{name: "raw-names", change: func(s *sketch) { s.sections[0].Name, s.sections[1].Name = "\xff\n8bytes", "a\x00b" }, check: func(t *testing.T, f *File) {
			if f.Section("\xff\n8bytes") == nil || f.Section("a") == nil {
				t.Errorf("%+v", f.Sections)
			}
		}},
		{name: "many-warnings", change: func(s *sketch) {
			s.many(50)
			s.sizeOfImage = 1
		}, warns: "more"},
	}
}

// many adds sections that share their data in the file.
func (s *sketch) many(n int) {
	s.lfanew, s.size = 0x800, 0x1000+(n+2)*sectionHeaderSize
	s.put(0x600, "many")
	for i := range uint32(n) {
		s.sections = append(s.sections, Section{Name: fmt.Sprint(i), VirtualSize: 4, VirtualAddress: 0x100000 + i*0x1000, RawSize: 0x200, RawOffset: 0x600})
	}
	s.sizeOfImage = 0x100000 + uint32(n)*0x1000
	s.headers = uint32(s.size)
}

// strings adds a string table behind two symbols.
func (s *sketch) strings(table string) {
	s.symbols, s.nSymbols = uint32(s.size), 2
	s.put(s.size+2*symbolSize, table)
	s.size += 2*symbolSize + len(table)
}

func wantMemory(t *testing.T, f *File, rva uint32, want string) {
	t.Helper()
	b := make([]byte, len(want))
	for i := range b {
		b[i] = 0xAA
	}
	if n, err := f.ReadRVA(b, rva); string(b) != want || n != len(b) || err != nil {
		t.Errorf("at %#x: %q, %d bytes, %v; want %q", rva, b, n, err, want)
	}
}

func wantUnmapped(t *testing.T, f *File, rva uint32) {
	t.Helper()
	if n, err := f.ReadRVA(make([]byte, 1), rva); n != 0 || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%#x", rva)) {
		t.Errorf("at %#x: %d bytes, %v", rva, n, err)
	}
}

// A reader that fails after its first reads, as a disk does.
type failing struct {
	r    io.ReaderAt
	left int
}

func (f *failing) ReadAt(b []byte, off int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return f.r.ReadAt(b, off)
}

// TestReaderFails lets each read fail once: the reader's error comes through, and is no
// ErrFormat.
func TestReaderFails(t *testing.T) {
	s := plain()
	s.strings("\x10\x00\x00\x00abcdefgh\x00")
	s.sections[0].Name = "/4"
	b := s.draw()
	for left := range 20 {
		f, err := New(&failing{bytes.NewReader(b), left}, int64(len(b)))
		if err != nil {
			wantClosedPipe(t, "New", err)
			continue
		}
		_, err = f.Exports()
		wantClosedPipe(t, "Exports", err)
		_, err = f.Imports()
		wantClosedPipe(t, "Imports", err)
		for _, err = range f.Relocations() {
		}
		wantClosedPipe(t, "Relocations", err)
		_, err = f.ComputeChecksum()
		wantClosedPipe(t, "ComputeChecksum", err)
	}
}

// TestShrinks reads a file that has become smaller since it was opened.
func TestShrinks(t *testing.T) {
	s := plain()
	b := s.draw()
	f, err := New(bytes.NewReader(b[:0x480]), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	wantMemory(t, f, textRVA, "\x00\x00")
	if _, err := f.ComputeChecksum(); err == nil {
		t.Error("a checksum of bytes that are not there")
	}
}

func wantClosedPipe(t *testing.T, method string, err error) {
	t.Helper()
	if err != nil && (!errors.Is(err, io.ErrClosedPipe) || errors.Is(err, ErrFormat)) {
		t.Errorf("%s: %v", method, err)
	}
}
