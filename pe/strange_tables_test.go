package pe

import (
	"encoding/binary"
	"strings"
	"testing"
)

// What is strange about exports, imports and relocations.
func strangeTables() []strange {
	directory := func(i int, d Directory) func(*sketch) { return func(s *sketch) { s.directories[i] = d } }
	const e, im, rel = exportRVA, importRVA, relocRVA
	return []strange{
		{name: "exports-unmapped", change: directory(DirExport, Directory{0x9000, 40}), exports: "the export directory"},
		{name: "exports-at-the-end", change: directory(DirExport, Directory{0x2FE0, 40}), exports: "the export directory"},
		{name: "exports-name-unmapped", bytes: put32(e+12, 0x9000), exports: "the name of the library"},
		{name: "exports-no-name", bytes: put32(e+12, 0), check: func(t *testing.T, f *File) {
			if x, err := f.Exports(); err != nil || x.Name != "" || len(x.Symbols) != 4 {
				t.Errorf("%v %v", x, err)
			}
		}},
		{name: "exports-name-endless", change: endless, bytes: put32(e+12, 0x2400), exports: "has more than 4096 bytes"},
		{name: "exports-many-functions", bytes: put32(e+20, 0xFFFFFFFF), exports: "4294967295 exported functions"},
		{name: "exports-functions-unmapped", bytes: put32(e+28, 0x2FFC), exports: "the table of exported functions"},
		{name: "exports-many-names", bytes: put32(e+24, 0x10000000), exports: "268435456 exported names"},
		{name: "exports-names-unmapped", bytes: put32(e+32, 0xFFFFFFFC), exports: "the table of exported names"},
		{name: "exports-ordinals-unmapped", bytes: put32(e+36, 0x8000), exports: "ordinals"},
		{name: "exports-exported-name-unmapped", bytes: put32(e+0x64, 0x8000), exports: "an exported name"},
		{name: "exports-ordinal-too-high", bytes: put32(e+0x80, 0x40000), exports: "function 4, and there are 4"},
		{name: "exports-forward-endless", change: func(s *sketch) {
			endless(s)
			s.directories[DirExport] = Directory{e, 0x1000}
		}, bytes: put32(e+0x44, 0x2400), exports: "a forwarder has more"},
		{name: "exports-forward-of-a-name-endless", change: func(s *sketch) {
			endless(s)
			s.directories[DirExport] = Directory{e, 0x1000}
		}, bytes: put32(e+0x40, 0x2400), exports: "a forwarder has more"},
		{name: "exports-base-wraps", bytes: put32(e+16, 0xFFFFFFFE)},
		{name: "exports-name-loop", change: func(s *sketch) { // each name is the same of 4000 bytes
			endless(s)
			s.put(0x400+0x400+4000, "\x00")
			for i := range 128 {
				s.words32(0x5000+i*4, 0x2400)
			}
			s.sections[1].VirtualSize, s.sections[1].RawSize, s.sizeOfImage, s.size = 0x30000, 0x8000, 0x40000, 0x8400
		}, bytes: func(b []byte) []byte {
			put32(e+32, 0x5000)(b)
			put32(e+36, 0x10000)(b) // zeros
			return put32(e+24, 128)(b)
		}, large: true, check: func(t *testing.T, f *File) {
			if x, err := f.Exports(); err != nil || len(x.Symbols) != 128+2 || len(x.Symbols[127].Name) != 4000 {
				t.Errorf("%d %v", len(x.Symbols), err)
			}
		}},
		{name: "exports-too-long-together", large: true, change: func(s *sketch) {
			endless(s)
			s.put(0x400+0x400+4000, "\x00")
			s.sections[1].VirtualSize, s.sections[1].RawSize, s.sizeOfImage, s.size = 0x40000, 0x20000, 0x50000, 0x20400
			for i := range 5000 {
				s.words32(0x5000+i*4, 0x2400)
			}
		}, bytes: func(b []byte) []byte {
			put32(e+32, 0x5000)(b)
			put32(e+36, 0x30000)(b)
			return put32(e+24, 5000)(b)
		}, exports: "together have more"},

		{name: "imports-unmapped", change: directory(DirImport, Directory{0x9000, 40}), imports: "the import directory"},
		{name: "imports-without-end", change: func(s *sketch) { // the descriptors fill the rest of the file
			for at := im; at < 0x2400; at += 20 {
				s.words32(at, 0, 0, 0, textRVA+0x40, 0x2800)
			}
			s.sections[1].VirtualSize = 0x1000
			s.text(textRVA+0x40, "k\x00")
		}},
		{name: "imports-name-unmapped", bytes: put32(im+12, 0x9000), imports: "the name of an imported library"},
		{name: "imports-slots-unmapped", bytes: put32(im+16, 0x9000), imports: "a table of imported symbols"},
		{name: "imports-lookup-unmapped", bytes: put32(im, 0x9000), imports: "a table of imported symbols"},
		{name: "imports-lookup-in-headers", bytes: put32(im, 0x10), check: wantPlain},
		{name: "imports-lookup", bytes: put32(im, im+0x40), check: wantPlain},
		{name: "imports-symbol-unmapped", bytes: put32(im+0x40, 0x9000), imports: "an imported symbol"},
		{name: "imports-symbol-cut", bytes: put32(im+0x40, 0x2FFE), imports: "an imported symbol"},
		{name: "imports-no-slots", bytes: put32(im+16, 0), check: func(t *testing.T, f *File) {
			if i, err := f.Imports(); i != nil || err != nil {
				t.Errorf("%v %v", i, err)
			}
		}},
		{name: "imports-many-libraries", large: true, change: func(s *sketch) {
			s.tall(0x20000)
			for i := range maxLibraries + 1 {
				s.words32(0x3000+i*20, 0, 0, 0, textRVA+0x40, 0x2800)
			}
			s.directories[DirImport] = Directory{0x3000, 20}
		}, imports: "more than 4096 imported libraries"},
		{name: "imports-many-symbols", large: true, change: func(s *sketch) {
			s.tall(0x20000) // each of 33 libraries has the same 4096
			for i := range 33 {
				s.words32(0x3000+i*20, 0, 0, 0, textRVA+0x40, 0x8000)
			}
			for i := range 4096 {
				s.words32(0x8000+i*8, 1, 1<<31)
			}
			s.directories[DirImport] = Directory{0x3000, 20}
		}, imports: "more than 131072 imported symbols"},

		{name: "relocations-unmapped", change: directory(DirBaseReloc, Directory{0x9000, 40}), relocations: "the relocations"},
		{name: "relocations-empty-block", bytes: put32(rel+4, 0), relocations: "a block of relocations of 0 bytes"},
		{name: "relocations-small-block", bytes: put32(rel+4, 7), relocations: "a block of relocations of 7 bytes"},
		{name: "relocations-large-block", bytes: put32(rel+4, 21), relocations: "there are 20"},
		{name: "relocations-huge-block", change: directory(DirBaseReloc, Directory{rel, 0xFFFFFFFF}), bytes: put32(rel+4, 0x10000), relocations: "a block of relocations of 65536 bytes"},
		{name: "relocations-block-unmapped", change: directory(DirBaseReloc, Directory{rel, 0xFFFFFFFF}), bytes: put32(rel+4, 0x2000), relocations: "a block of relocations at address"},
		{name: "relocations-odd-block", change: directory(DirBaseReloc, Directory{rel, 19}), bytes: put32(rel+4, 19)},
		{name: "relocations-cut", change: directory(DirBaseReloc, Directory{rel, 24}), relocations: "of 0 bytes; there are 4"},
		{name: "relocations-wrap", bytes: put32(rel, 0xFFFFFFFF), relocations: "a relocation at address 0x100000007"},
		{name: "relocations-adjust-at-the-end", bytes: func(b []byte) []byte {
			binary.LittleEndian.PutUint16(b[rel+8+5*2-tableShift:], 4<<12)
			return b
		}},
		{name: "relocations-many-blocks", large: true, change: func(s *sketch) { // the same page again and again
			s.lfanew, s.size = 0x10000, 0x20000
			s.put(0x8000, "\x00\x20\x00\x00\x00\x80\x00\x00"+strings.Repeat("\x01\xa0", 0x4000-4))
			for i := range uint32(1025) {
				s.sections = append(s.sections, Section{Name: "again", VirtualSize: 0x8000, VirtualAddress: 0x100000 + i*0x8000, RawSize: 0x8000, RawOffset: 0x8000})
			}
			s.directories[DirBaseReloc] = Directory{0x100000, 0x8000 * 1025}
		}, relocations: "more than 16777216 relocations"},
	}
}

// endless fills the section .data with letters up to 5000 bytes behind the tables.
func endless(s *sketch) {
	s.put(0x800, strings.Repeat("x", 5000))
	s.sections[1].VirtualSize, s.sections[1].RawSize, s.sizeOfImage, s.size = 0x2000, 0x2000, 0x4000, 0x2400
}

// tall makes the section .data so much larger.
func (s *sketch) tall(n uint32) {
	s.sections[1].VirtualSize += n
	s.sections[1].RawSize += n
	s.sizeOfImage += n
	s.size += int(n)
}
