package pe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// begin makes a Patch that changes nothing yet but the signature. It refuses files whose
// fields cannot be changed one by one.
func (f *File) begin(o PatchOptions) (*Patch, error) {
	if f.Mapped {
		return nil, errors.New("pe: this is a loaded image; patch its file")
	}
	if err := f.patchable(); err != nil {
		return nil, err
	}
	p := &Patch{r: f.r, keep: f.Size, size: f.Size}
	if f.Directory(DirSecurity) != (Directory{}) {
		if !o.StripSignature {
			return nil, fmt.Errorf("%w, and a change makes the signature invalid; have it stripped, and sign the result", ErrSigned)
		}
		f.stripSignature(p)
	}
	return p, nil
}

// patchable refuses headers that share bytes, and files that are cut off.
func (f *File) patchable() error {
	o := &f.Offsets
	if o.PE < dosHeaderSize || o.PE%4 != 0 {
		return malformed(o.PE, "the PE headers are at no multiple of 4 behind the MS-DOS header; such a file is not patched")
	}
	if end := o.Directories + int64(len(f.Directories))*directorySize; o.SectionTable < end {
		return malformed(o.SectionTable, "the section table overlaps the optional header; such a file is not patched")
	}
	for i := range f.Sections {
		s := &f.Sections[i]
		if end := int64(s.RawOffset) + int64(s.RawSize); s.RawOffset != 0 && end > f.Size {
			return malformed(f.Size, "the file ends, and the data of section %s at offset %#x; it is cut off", printable(s.Name), end)
		}
	}
	return nil
}

// stripSignature removes the entry of the attribute certificate table, and the table itself
// if nothing else is at its offset or behind it.
func (f *File) stripSignature(p *Patch) {
	p.setDirectory(f, DirSecurity, Directory{})
	off, size, ok := f.Signature()
	overlay, _ := f.Overlay()
	if symbols := int64(f.PointerToSymbolTable) + int64(f.NumberOfSymbols)*symbolSize; f.PointerToSymbolTable != 0 {
		overlay = max(overlay, symbols)
	}
	overlay = max(overlay, f.Offsets.SectionTable+int64(len(f.Sections))*sectionHeaderSize)
	// Tables are padded to 8 bytes.
	if ok && off >= overlay && f.Size-(off+size) < 8 {
		p.keep, p.size = off, off
	}
}

// finish computes the checksum, and reads the result once more as what it is to be.
func (p *Patch) finish(f *File, want Section, index int) (*Patch, error) {
	p.putUint32(f.Offsets.CheckSum, 0)
	changed, err := New(p, p.size)
	if err != nil {
		return nil, fmt.Errorf("the patched file: %w", err)
	}
	if index >= len(changed.Sections) || changed.Sections[index] != want {
		return nil, malformed(f.Offsets.SectionTable, "section %s is not in the patched file; its headers overlap", printable(want.Name))
	}
	sum, err := changed.ComputeChecksum()
	if err != nil {
		return nil, err
	}
	// Where the words add up to 0, 0xFFFF is 0 too; with the sum in its place it is 0 that
	// comes out.
	if words := sum - uint32(p.size); words == math.MaxUint16 {
		sum -= words
	}
	p.putUint32(f.Offsets.CheckSum, sum)
	return p, nil
}

func (p *Patch) put(off int64, data []byte) { p.edits = append(p.edits, edit{off, data}) }

func (p *Patch) putUint16(off int64, n uint16) { p.put(off, binary.LittleEndian.AppendUint16(nil, n)) }

func (p *Patch) putUint32(off int64, n uint32) { p.put(off, binary.LittleEndian.AppendUint32(nil, n)) }

// setDirectory changes a data directory that the file has.
func (p *Patch) setDirectory(f *File, index int, d Directory) {
	if index < len(f.Directories) {
		at := f.Offsets.Directories + int64(index)*directorySize
		p.putUint32(at, d.Address)
		p.putUint32(at+4, d.Size)
	}
}

// Offsets of fields that are patched.
const (
	numberOfSectionsOffset      = 2 // of the COFF header
	sizeOfInitializedDataOffset = 8 // of the optional header, in both kinds
	sizeOfImageOffset           = 56
	characteristicsOffset       = 36 // of a section header
)
