package pe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// parse reads the headers of a file, or of an image that is mapped.
func parse(r io.ReaderAt, size int64, mapped bool) (*File, error) {
	if size < 0 {
		return nil, fmt.Errorf("%w: a size of %d bytes", ErrFormat, size)
	}
	f := &File{Size: size, Mapped: mapped, r: r}
	w := offsets(r, size)
	for _, read := range []func(*window) error{f.readSignature, f.readCOFF, f.readDirectories, f.readSections} {
		if err := read(w); err != nil {
			return nil, err
		}
	}
	if !mapped {
		f.readLongNames(w)
	} else {
		f.Size = min(f.Size, int64(f.Optional.SizeOfImage))
	}
	f.layOut()
	f.inspect()
	return f, nil
}

// header reads a structure of the headers.
func (f *File) header(w *window, off int64, n int, what string) ([]byte, error) {
	b, err := w.at(off, n)
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, malformed(off, "%s of %d bytes does not fit into the %d bytes of the file; it is cut off or no PE file", what, n, f.Size)
	}
	return nil, fmt.Errorf("%s at offset %#x: %w", what, off, err)
}

// readSignature finds the PE signature through the MS-DOS header.
func (f *File) readSignature(w *window) error {
	const lfanew = 60 // e_lfanew, the last field
	b, err := f.header(w, 0, 2, "the magic number")
	if err != nil {
		return err
	}
	if magic := string(b); magic != "MZ" {
		return malformed(0, "it begins with %q and not with \"MZ\"%s", magic, foreign(magic))
	}
	if b, err = f.header(w, 0, dosHeaderSize, "the MS-DOS header"); err != nil {
		return err
	}
	at := int64(binary.LittleEndian.Uint32(b[lfanew:]))
	if b, err = f.header(w, at, 4, "the PE signature"); err != nil {
		return err
	}
	if magic := string(b); magic != "PE\x00\x00" {
		return malformed(at, "%q in place of the PE signature%s", magic, foreign(magic[:2]))
	}
	f.Offsets.PE = at
	f.Offsets.COFF = at + 4
	return nil
}

// foreign says what a file is instead.
func foreign(magic string) string {
	switch magic {
	case "NE":
		return ": a program for 16-bit Windows or OS/2 (NE), which this package does not read"
	case "LE", "LX":
		return ": a program for OS/2 or a VxD driver (" + magic + "), which this package does not read"
	case "VZ":
		return ": a terse executable for UEFI (TE), which this package does not read"
	case "\x7fE":
		return ": perhaps an ELF file, a program for Linux"
	case "\x4c\x01", "\x64\x86", "\x64\xaa":
		return ": perhaps an object file; link it first"
	case "!<":
		return ": perhaps a library of object files; link it first"
	}
	return ""
}

// readCOFF reads the COFF file header and the optional header.
func (f *File) readCOFF(w *window) error {
	b, err := f.header(w, f.Offsets.COFF, coffHeaderSize, "the COFF header")
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	f.Machine = Machine(le.Uint16(b))
	sections := int64(le.Uint16(b[2:]))
	f.Timestamp = le.Uint32(b[4:])
	f.PointerToSymbolTable = le.Uint32(b[8:])
	f.NumberOfSymbols = le.Uint32(b[12:])
	size := int(le.Uint16(b[16:]))
	f.Characteristics = le.Uint16(b[18:])

	at := f.Offsets.COFF + coffHeaderSize
	f.Offsets.Optional = at
	f.Offsets.CheckSum = at + checkSumOffset
	f.Offsets.SectionTable = at + int64(size)
	if size == 0 {
		return malformed(at, "no optional header; this is an object file, link it first")
	}
	if b, err = f.header(w, at, 2, "the optional header"); err != nil {
		return err
	}
	magic := le.Uint16(b)
	need := optionalSize(magic)
	if need == 0 {
		if magic == magicROM {
			return malformed(at, "a ROM image, which this package does not read")
		}
		return malformed(at, "an optional header with the magic number %#x, which is neither PE32 nor PE32+", magic)
	}
	if b, err = f.header(w, at, need, "the optional header"); err != nil {
		return err
	}
	f.Optional = parseOptional(b)
	if room := max(0, f.Size-f.Offsets.SectionTable) / sectionHeaderSize; sections > room {
		return malformed(f.Offsets.SectionTable, "a section table of %d entries; the file has %d bytes and room for %d", sections, f.Size, room)
	}
	f.Sections = make([]Section, sections)
	f.Offsets.Directories = at + int64(need)
	if size < need {
		f.warn("the optional header has %d bytes, and its fields %d; a section table overlaps them", size, need)
	}
	return nil
}

// readDirectories reads as many data directories as the file says and has.
func (f *File) readDirectories(w *window) error {
	n := min(int64(f.Optional.NumberOfRvaAndSizes), maxDirectories)
	at := f.Offsets.Directories
	if has := max(0, f.Size-at) / directorySize; has < n {
		f.warn("the file ends in the data directories")
		n = has
	}
	b, err := f.header(w, at, int(n)*directorySize, "the data directories")
	if err != nil {
		return err
	}
	f.Directories = make([]Directory, n)
	for i := range f.Directories {
		d := b[i*directorySize:]
		f.Directories[i] = Directory{binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:])}
	}
	if end, table := at+n*directorySize, f.Offsets.SectionTable; n > 0 && table > f.Offsets.Optional && end > table {
		f.warn("the data directories end at offset %#x and overlap the section table at %#x", end, table)
	}
	return nil
}

// readSections reads the section table, in pieces.
func (f *File) readSections(w *window) error {
	n := len(f.Sections)
	const piece = maxWindow / sectionHeaderSize
	for i := 0; i < n; i += piece {
		count := min(piece, n-i)
		b, err := f.header(w, f.Offsets.SectionTable+int64(i)*sectionHeaderSize, count*sectionHeaderSize, "the section table")
		if err != nil {
			return err
		}
		for j := range count {
			f.Sections[i+j] = parseSection(b[j*sectionHeaderSize:])
		}
	}
	return nil
}

// readLongNames looks up the names of sections in the string table. The names share the
// memory of the piece of the table that is read.
func (f *File) readLongNames(w *window) {
	first, last := int64(math.MaxInt64), int64(-1)
	for i := range f.Sections {
		if off, ok := longName(f.Sections[i].Name); ok {
			first, last = min(first, int64(off)), max(last, int64(off))
		}
	}
	if last < 0 {
		return
	}
	if f.PointerToSymbolTable == 0 {
		f.warn("names of sections are in a string table, and the file has none")
		return
	}
	table := int64(f.PointerToSymbolTable) + int64(f.NumberOfSymbols)*symbolSize
	b, err := w.at(table, 4)
	if err != nil {
		f.warn("names of sections are in the string table at offset %#x, which is not in the file", table)
		return
	}
	end := min(int64(binary.LittleEndian.Uint32(b)), last+maxName+1, first+maxStrings, f.Size-table)
	strings := make([]byte, max(0, end-first))
	n, err := f.r.ReadAt(strings, table+first)
	if err != nil && n < len(strings) {
		f.warn("the string table at offset %#x: %v", table, err)
	}
	f.setLongNames(string(strings[:n]), first)
}

// setLongNames replaces the names that refer to a piece of the string table.
func (f *File) setLongNames(piece string, first int64) {
	for i := range f.Sections {
		s := &f.Sections[i]
		off, ok := longName(s.Name)
		if !ok {
			continue
		}
		name, ok := cutName(piece, int64(off)-first)
		if !ok {
			f.warn("section %d, %s: its name is not in the string table", i+1, printable(s.Name))
			continue
		}
		s.Name = name
	}
}

// cutName returns the name at an offset, up to its zero byte.
func cutName(piece string, off int64) (string, bool) {
	if off >= int64(len(piece)) {
		return "", false
	}
	piece = piece[off:]
	for i := range min(len(piece), maxName+1) {
		if piece[i] == 0 {
			return piece[:i], true
		}
	}
	return "", false
}
