package main

import (
	"context"
	"fmt"

	"github.com/partywall/partywall/pe"
)

// peReport is what pe show prints. Addresses are relative to where the image begins.
type peReport struct {
	File               string        `json:"file"`
	Size               int64         `json:"size"`
	Machine            string        `json:"machine"`
	Kind               string        `json:"kind"`
	Plus               bool          `json:"pe32_plus"`
	EntryPoint         uint32        `json:"entry_point"` // 0: none
	ImageBase          uint64        `json:"image_base"`
	ImageSize          uint32        `json:"image_size"`
	HeadersSize        uint32        `json:"headers_size"`
	SectionAlignment   uint32        `json:"section_alignment"`
	FileAlignment      uint32        `json:"file_alignment"`
	Timestamp          uint32        `json:"timestamp"`
	Subsystem          uint16        `json:"subsystem"`
	Characteristics    []string      `json:"characteristics"`
	DLLCharacteristics []string      `json:"dll_characteristics"`
	Checksum           peChecksum    `json:"checksum"`
	Signature          *peBytes      `json:"signature"` // null: none
	Overlay            *peBytes      `json:"overlay"`   // null: none
	Directories        []peDirectory `json:"directories"`
	Sections           []peSection   `json:"sections"`
	Exports            peExports     `json:"exports"`
	Imports            peImports     `json:"imports"`
	Warnings           []string      `json:"warnings"`

	exportsErr, importsErr error
}

type peChecksum struct {
	Stored   uint32 `json:"stored"` // 0: none
	Computed uint32 `json:"computed"`
}

func (c peChecksum) String() string {
	switch c.Stored {
	case 0:
		return fmt.Sprintf("none; it would be %#x", c.Computed)
	case c.Computed:
		return fmt.Sprintf("%#x, which is right", c.Stored)
	}
	return fmt.Sprintf("%#x, which is wrong: that of the file is %#x", c.Stored, c.Computed)
}

// peBytes is a part of a file.
type peBytes struct {
	Offset int64 `json:"offset"`
	Size   int64 `json:"size"`
}

func (b *peBytes) String() string {
	if b == nil {
		return "none"
	}
	return fmt.Sprintf("%s bytes at offset %#x", grouped(uint64(b.Size)), b.Offset)
}

type peDirectory struct {
	Index   int    `json:"index"`
	Name    string `json:"name"`
	Address uint32 `json:"address"` // that of the signature is a file offset
	Size    uint32 `json:"size"`
	Section string `json:"section"` // where it is, or empty
}

type peSection struct {
	Name           string   `json:"name"`
	Flags          string   `json:"flags"`
	FlagsValue     uint32   `json:"flags_value"`
	VirtualAddress uint32   `json:"virtual_address"`
	VirtualSize    uint32   `json:"virtual_size"`
	RawOffset      uint32   `json:"raw_offset"`
	RawSize        uint32   `json:"raw_size"`
	Entropy        *float64 `json:"entropy"` // null: there is no data, or too much of it overlaps
	Mapped         string   `json:"mapped"`
	Meaning        string   `json:"meaning"`

	flags pe.SectionFlags
}

// memory is the size in memory that loaders go by.
func (s *peSection) memory() uint32 {
	if s.VirtualSize == 0 {
		return s.RawSize
	}
	return s.VirtualSize
}

type peExports struct {
	Count   int        `json:"count"`
	Name    string     `json:"name"` // the library's when it was linked
	Symbols []peExport `json:"symbols,omitempty"`
}

func (e *peExports) String() string {
	switch {
	case e.Count == 0:
		return "none"
	case e.Name == "":
		return grouped(uint64(e.Count))
	}
	return fmt.Sprintf("%s, as %s", grouped(uint64(e.Count)), clean(e.Name))
}

type peExport struct {
	Name    string `json:"name"` // empty: it has an ordinal only
	Ordinal uint32 `json:"ordinal"`
	Address uint32 `json:"address"`
	Section string `json:"section"`
	Forward string `json:"forward,omitempty"`
}

type peImports struct {
	Count        int         `json:"count"`
	LibraryCount int         `json:"library_count"`
	Libraries    []peLibrary `json:"libraries,omitempty"`
}

func (i *peImports) String() string {
	switch i.LibraryCount {
	case 0:
		return "none"
	case 1:
		return grouped(uint64(i.Count)) + ", of 1 library"
	}
	return fmt.Sprintf("%s, of %d libraries", grouped(uint64(i.Count)), i.LibraryCount)
}

type peLibrary struct {
	Name    string     `json:"name"`
	Symbols []peImport `json:"symbols"`
}

type peImport struct {
	Name    string `json:"name"` // empty: see Ordinal
	Ordinal uint16 `json:"ordinal"`
	Address uint32 `json:"address"` // where the loader puts it
}

func newPEReport(ctx context.Context, path string, f *pe.File) (*peReport, error) {
	o := &f.Optional
	r := &peReport{
		File: path, Size: f.Size, Machine: f.Machine.String(), Kind: peKind(f), Plus: o.Plus,
		EntryPoint: o.EntryPoint, ImageBase: o.ImageBase, ImageSize: o.SizeOfImage, HeadersSize: o.SizeOfHeaders,
		SectionAlignment: o.SectionAlignment, FileAlignment: o.FileAlignment, Timestamp: f.Timestamp, Subsystem: o.Subsystem,
		Characteristics: bitWords(f.Characteristics, fileWords), DLLCharacteristics: bitWords(o.DLLCharacteristics, dllWords),
		Directories: []peDirectory{}, Sections: []peSection{}, Warnings: append([]string{}, f.Warnings()...),
	}
	computed, err := f.ComputeChecksum()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r.Checksum = peChecksum{o.CheckSum, computed}
	if off, size, ok := f.Signature(); ok {
		r.Signature = &peBytes{off, size}
	}
	if off, size := f.Overlay(); size > 0 {
		r.Overlay = &peBytes{off, size}
	}
	entropies := entropyReader{ctx: ctx, left: 2*f.Size + 1<<20, known: map[peBytes]float64{}}
	for i := range f.Sections {
		s := &f.Sections[i]
		entropy, err := entropies.of(f.Data(s), int64(s.RawOffset))
		if err != nil {
			return nil, fmt.Errorf("%s: section %q: %w", path, s.Name, err)
		}
		r.Sections = append(r.Sections, peSection{
			Name: s.Name, Flags: s.Flags.String(), FlagsValue: uint32(s.Flags), flags: s.Flags,
			VirtualAddress: s.VirtualAddress, VirtualSize: s.VirtualSize, RawOffset: s.RawOffset, RawSize: s.RawSize,
			Entropy: entropy, Mapped: mapped(s.Flags), Meaning: meaning(s),
		})
	}
	for i, d := range f.Directories {
		if d == (pe.Directory{}) {
			continue
		}
		section := ""
		if i != pe.DirSecurity {
			section = r.sectionAt(d.Address)
		}
		name := fmt.Sprintf("directory %d", i)
		if i < len(directoryWords) {
			name = directoryWords[i]
		}
		r.Directories = append(r.Directories, peDirectory{i, name, d.Address, d.Size, section})
	}
	r.tables(f)
	return r, nil
}

// tables adds exports and imports. One that is damaged is a warning.
func (r *peReport) tables(f *pe.File) {
	exports, err := f.Exports()
	if r.exportsErr = err; err != nil {
		r.Warnings = append(r.Warnings, "exports: "+plainPE(err).Error())
		exports = &pe.Exports{}
	}
	r.Exports.Name, r.Exports.Count = exports.Name, len(exports.Symbols)
	for _, e := range exports.Symbols {
		r.Exports.Symbols = append(r.Exports.Symbols, peExport{e.Name, e.Ordinal, e.RVA, r.sectionAt(e.RVA), e.Forward})
	}
	imports, err := f.Imports()
	if r.importsErr = err; err != nil {
		r.Warnings = append(r.Warnings, "imports: "+plainPE(err).Error())
	}
	r.Imports.LibraryCount = len(imports)
	for _, i := range imports {
		l := peLibrary{Name: i.DLL, Symbols: []peImport{}}
		for _, s := range i.Symbols {
			l.Symbols = append(l.Symbols, peImport{s.Name, s.Ordinal, s.Slot})
		}
		r.Imports.Count += len(l.Symbols)
		r.Imports.Libraries = append(r.Imports.Libraries, l)
	}
}

// sectionAt returns the name of the section where an address is, or "".
func (r *peReport) sectionAt(rva uint32) string {
	for i := range r.Sections {
		if s := &r.Sections[i]; rva >= s.VirtualAddress && rva-s.VirtualAddress < s.memory() {
			return s.Name
		}
	}
	return ""
}

func peKind(f *pe.File) string {
	if f.Characteristics&pe.FileDLL != 0 {
		return "DLL"
	}
	switch s := f.Optional.Subsystem; s {
	case pe.SubsystemNative:
		return "native program or driver"
	case pe.SubsystemGUI:
		return "program with windows"
	case pe.SubsystemConsole:
		return "console program"
	case pe.SubsystemEFIApplication:
		return "EFI application"
	default:
		return fmt.Sprintf("program, subsystem %d,", s)
	}
}
