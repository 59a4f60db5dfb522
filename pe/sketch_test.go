package pe

import (
	"bytes"
	"encoding/binary"
)

// A sketch is a PE file to be drawn: a plain one, of which fields are changed to make it
// strange.
type sketch struct {
	machine      Machine
	pe32         bool // and not PE32+
	lfanew       int
	optionalSize int // 0: what it needs
	sections     []Section
	count        int // of sections, 0: what there are
	directories  map[int]Directory
	nDirectories uint32
	sectionAlign uint32
	fileAlign    uint32
	sizeOfImage  uint32
	headers      uint32
	symbols      uint32 // PointerToSymbolTable
	nSymbols     uint32
	size         int     // of the file
	contents     []piece // a later one overwrites an earlier one
}

type piece struct {
	off   int
	bytes []byte
}

// The tables of a plain file are in its section .data: addresses, and offsets less
// tableShift.
const (
	tableRVA   = 0x2000
	tableShift = 0x2000 - 0x400

	exportRVA = 0x2000
	importRVA = 0x2100
	relocRVA  = 0x2200
	textRVA   = 0x2300
)

// plain is a file without anything strange about it.
func plain() sketch {
	s := sketch{
		machine: AMD64, lfanew: 0x80, nDirectories: 16, sectionAlign: 0x1000, fileAlign: 0x200,
		sizeOfImage: 0x3000, headers: 0x200, size: 0x800,
		sections: []Section{
			{Name: ".text", VirtualSize: 0x10, VirtualAddress: 0x1000, RawSize: 0x200, RawOffset: 0x200, Flags: Code | Read | Execute},
			{Name: ".data", VirtualSize: 0x400, VirtualAddress: 0x2000, RawSize: 0x400, RawOffset: 0x400, Flags: Initialised | Read | Write},
		},
		directories: map[int]Directory{
			DirExport: {exportRVA, 0x100}, DirImport: {importRVA, 40}, DirBaseReloc: {relocRVA, 20},
		},
	}
	s.put(0x200, "code")
	s.putExports()
	s.putImports()
	s.words32(relocRVA, 0x2000, 8+6*2)
	s.words16(relocRVA+8, 10<<12|8, 3<<12|16, 4<<12|24, 0x8000, 0, 10<<12|0xFFF)
	return s
}

// small is a plain PE32 file.
func small() sketch {
	s := plain()
	s.machine, s.pe32 = I386, true
	s.putImports()
	return s
}

func (s *sketch) put(off int, text string) { s.contents = append(s.contents, piece{off, []byte(text)}) }

func (s *sketch) words32(rva int, words ...uint32) {
	b := &bytes.Buffer{}
	_ = binary.Write(b, binary.LittleEndian, words)
	s.put(rva-tableShift, b.String())
}

func (s *sketch) words16(rva int, words ...uint16) {
	b := &bytes.Buffer{}
	_ = binary.Write(b, binary.LittleEndian, words)
	s.put(rva-tableShift, b.String())
}

func (s *sketch) text(rva int, text string) { s.put(rva-tableShift, text) }

// putExports exports four functions from ordinal 5 on: Alpha and also Also, one without a
// name, a gap, and a forwarder in the directory.
func (s *sketch) putExports() {
	s.words32(exportRVA, 0, 0, 0, textRVA, 5, 4, 3, exportRVA+0x40, exportRVA+0x60, exportRVA+0x80)
	s.words32(exportRVA+0x40, 0x1000, 0x1004, 0, exportRVA+0xA0)
	s.words32(exportRVA+0x60, textRVA+0x10, textRVA+0x20, textRVA+0x30)
	s.words16(exportRVA+0x80, 0, 0, 3)
	s.text(exportRVA+0xA0, "OTHER.Name")
	s.text(textRVA, "plain.dll")
	s.text(textRVA+0x10, "Alpha")
	s.text(textRVA+0x20, "Also")
	s.text(textRVA+0x30, "Forward")
}

// putImports imports a name and an ordinal, from a library without a lookup table.
func (s *sketch) putImports() {
	s.words32(importRVA, 0, 0, 0, textRVA+0x40, importRVA+0x40, 0, 0, 0, 0, 0)
	if s.pe32 {
		s.words32(importRVA+0x40, textRVA+0x50, 1<<31|7, 0)
	} else {
		s.words32(importRVA+0x40, textRVA+0x50, 0, 7, 1<<31, 0, 0)
	}
	s.text(textRVA+0x40, "kernel32.dll")
	s.text(textRVA+0x50, "\x22\x11Sleep")
}

// draw returns the file.
func (s *sketch) draw() []byte {
	le := binary.LittleEndian
	room := make([]byte, max(s.size, s.lfanew+4096+len(s.sections)*sectionHeaderSize))
	copy(room, "MZ")
	le.PutUint32(room[60:], uint32(s.lfanew))
	at := room[s.lfanew:]
	copy(at, "PE\x00\x00")
	le.PutUint16(at[4:], uint16(s.machine))
	count, fixed := s.count, sizePlus
	if count == 0 {
		count = len(s.sections)
	}
	if s.pe32 {
		fixed = sizePE32
	}
	size := s.optionalSize
	if size == 0 {
		size = fixed + 8*maxDirectories
	}
	le.PutUint16(at[6:], uint16(count))
	le.PutUint32(at[12:], s.symbols)
	le.PutUint32(at[16:], s.nSymbols)
	le.PutUint16(at[20:], uint16(size))
	le.PutUint16(at[22:], FileExecutableImage|FileDLL)
	optional := at[24:]
	s.drawOptional(optional)
	for i, d := range s.directories {
		le.PutUint32(optional[fixed+8*i:], d.Address)
		le.PutUint32(optional[fixed+8*i+4:], d.Size)
	}
	for i := range s.sections {
		drawSection(optional[size+i*sectionHeaderSize:], &s.sections[i])
	}
	for _, p := range s.contents {
		copy(room[min(p.off, len(room)):], p.bytes)
	}
	return room[:s.size]
}

func (s *sketch) drawOptional(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b[32:], s.sectionAlign)
	le.PutUint32(b[36:], s.fileAlign)
	le.PutUint32(b[56:], s.sizeOfImage)
	le.PutUint32(b[60:], s.headers)
	if s.pe32 {
		le.PutUint16(b, magicPE32)
		le.PutUint32(b[28:], 0x400000)
		le.PutUint32(b[92:], s.nDirectories)
		return
	}
	le.PutUint16(b, magicPlus)
	le.PutUint64(b[24:], 0x1_4000_0000)
	le.PutUint32(b[108:], s.nDirectories)
}

func drawSection(b []byte, s *Section) {
	le := binary.LittleEndian
	copy(b[:8], s.Name)
	le.PutUint32(b[8:], s.VirtualSize)
	le.PutUint32(b[12:], s.VirtualAddress)
	le.PutUint32(b[16:], s.RawSize)
	le.PutUint32(b[20:], s.RawOffset)
	le.PutUint32(b[36:], uint32(s.Flags))
}
