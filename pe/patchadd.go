package pe

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/partywall/partywall"
)

// A NewSection is a section to be added to a file.
type NewSection struct {
	// Name has at most 8 bytes, printable ASCII, and is none of the names that linkers
	// use themselves, nor one that the file has.
	Name string
	// Flags say what may be done with the memory. Zero is Read|Write|Shared. The
	// contents are initialised data whatever it says.
	Flags SectionFlags
	// Size is the size in bytes, in memory and, rounded up, in the file. Zero is that of
	// Init.
	Size int64
	// Init is how the section begins. What it does not cover is zero.
	Init []byte
}

// maxImage is the size of the largest image in bytes: "LNK1248: image size exceeds maximum
// allowable size (80000000)".
const maxImage int64 = 1 << 31

// AddSection adds a section to the file at path and writes the result to out, or to path
// itself if out is "". See [File.AddSection] for what it does, and [PatchFile] for
// how it writes.
func AddSection(path, out string, s NewSection, o PatchOptions) error {
	return PatchFile(path, out, func(f *File) (*Patch, error) { return f.AddSection(s, o) })
}

// AddSection adds a section, which a program finds in itself with [Self] or by its name in
// the section table.
//
// In memory the section comes behind all others. In the file its data comes behind
// everything, so that whatever refers to an offset stays right: the data of the other
// sections, the symbol table, debug information, and an overlay, as installers and
// self-extracting archives have. The overlay is no longer at the end of the file then:
// a program that looks for it there, and [File.Overlay], do not find it. So add the section
// first, and append to the file afterwards; and sign it last, for a signature is a
// kind of overlay too.
//
// It refuses:
//
//   - a name that is reserved, taken, too long or not ASCII: [ErrSectionName];
//   - a section that is writable, executable and shared at once: [ErrUnshareable];
//   - a file without 40 free bytes behind the section table: [ErrNoRoom];
//   - a shared section in a .NET assembly: [ErrUnshareable];
//   - the 97th section, an image of more than 2 GiB, a file of more than 4:
//     [partywall.ErrTooLarge];
//   - a signed file, unless told to strip the signature: [ErrSigned];
//   - a file that is cut off, or that Windows would not load: [ErrFormat].
//
// The list of bound imports, which old linkers put behind the section table, is dropped; it
// only made loading faster.
func (f *File) AddSection(s NewSection, o PatchOptions) (*Patch, error) {
	if err := s.complete(f); err != nil {
		return nil, err
	}
	if s.Flags.Has(Shared) {
		if err := f.notDotNet(s.Name); err != nil {
			return nil, err
		}
	}
	p, err := f.begin(o)
	if err != nil {
		return nil, err
	}
	if err := f.alignedWell(); err != nil {
		return nil, err
	}
	at, err := f.roomForHeader()
	if err != nil {
		return nil, err
	}
	h, image, err := f.layOutNew(s, p.size)
	if err != nil {
		return nil, err
	}
	n := len(f.Sections)
	p.put(at, h.header())
	p.putUint16(f.Offsets.COFF+numberOfSectionsOffset, uint16(n+1))
	data := min(uint64(f.Optional.SizeOfInitializedData)+uint64(h.RawSize), math.MaxUint32)
	p.putUint32(f.Offsets.Optional+sizeOfInitializedDataOffset, uint32(data))
	p.putUint32(f.Offsets.Optional+sizeOfImageOffset, image)
	p.setDirectory(f, DirBoundImport, Directory{})
	p.put(int64(h.RawOffset), slices.Clone(s.Init))
	p.size = int64(h.RawOffset) + int64(h.RawSize)
	return p.finish(f, h, n)
}

// complete fills in what is zero, and checks what does not depend on the layout.
func (s *NewSection) complete(f *File) error {
	if s.Flags == 0 {
		s.Flags = Read | Write | Shared
	}
	s.Flags |= Initialised
	if s.Size == 0 {
		s.Size = int64(len(s.Init))
	}
	if err := checkSectionName(s.Name); err != nil {
		return fmt.Errorf("%w: %w", ErrSectionName, err)
	}
	if f.Section(s.Name) != nil {
		return fmt.Errorf("%w: there is a section %q already", ErrSectionName, s.Name)
	}
	switch {
	case s.Flags.Has(Uninitialised):
		return fmt.Errorf("pe: section %q: a new section has initialised data; leave Uninitialised out", s.Name)
	case s.Size <= 0:
		return fmt.Errorf("pe: section %q: a size of %d bytes; it needs one or more", s.Name, s.Size)
	case s.Size < int64(len(s.Init)):
		return fmt.Errorf("pe: section %q: Init has %d bytes and the section %d", s.Name, len(s.Init), s.Size)
	case s.Size > maxImage:
		return fmt.Errorf("%w: section %q has %d bytes; images have at most %d", partywall.ErrTooLarge, s.Name, s.Size, maxImage)
	}
	return checkSharedFlags(s.Name, s.Flags)
}

// alignedWell refuses alignments that Windows refuses, and those of drivers, whose sections
// have no pages of their own.
func (f *File) alignedWell() error {
	const most = 64 << 10 // of FileAlignment, as "PE Format" says
	section, file := f.Optional.SectionAlignment, f.Optional.FileAlignment
	if bits.OnesCount32(section) != 1 || bits.OnesCount32(file) != 1 || section < pageSize || file < sectorSize || file > min(section, most) {
		return malformed(f.Offsets.Optional, "SectionAlignment %#x and FileAlignment %#x; they have to be powers of two, "+
			"the first at least %#x, and the second %#x to %#x and not the larger one", section, file, pageSize, sectorSize, most)
	}
	return nil
}

// roomForHeader returns the offset behind the section table if a header has room there.
func (f *File) roomForHeader() (int64, error) {
	n := len(f.Sections)
	if n >= maxSections {
		return 0, fmt.Errorf("%w: the file has %d sections; Windows allows %d", partywall.ErrTooLarge, n, maxSections)
	}
	at := f.Offsets.SectionTable + int64(n)*sectionHeaderSize
	end, what := min(int64(f.Optional.SizeOfHeaders), f.Size), "the headers end"
	for i := range f.Sections {
		if s := &f.Sections[i]; s.RawSize != 0 && s.RawOffset != 0 && int64(s.RawOffset) < end {
			end, what = int64(s.RawOffset), fmt.Sprintf("the data of section %s begins", printable(s.Name))
		}
	}
	if at+sectionHeaderSize > end {
		return 0, fmt.Errorf("%w: the section table ends at offset %#x, one more entry has %d bytes, and %s at %#x; "+
			"have the linker make the section, or put it into a DLL", ErrNoRoom, at, sectionHeaderSize, what, end)
	}
	return at, f.unused(at)
}

// unused refuses an offset where a section header would lie over something. The bound
// imports may go.
func (f *File) unused(at int64) error {
	holds := func(d Directory) bool {
		return d.Address != 0 && int64(d.Address) < at+sectionHeaderSize && int64(d.Address)+int64(d.Size) > at
	}
	for i, d := range f.Directories {
		if i != DirBoundImport && holds(d) {
			return fmt.Errorf("%w: %s is behind the section table at offset %#x; have the linker make the section, or put it into a DLL",
				ErrNoRoom, directoryName(i), at)
		}
	}
	b := make([]byte, sectionHeaderSize)
	if n, err := f.r.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("behind the section table at offset %#x: %w", at, err)
	}
	if !holds(f.Directory(DirBoundImport)) && slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
		return fmt.Errorf("%w: there is something else behind the section table at offset %#x; "+
			"have the linker make the section, or put it into a DLL", ErrNoRoom, at)
	}
	return nil
}

// layOutNew puts a section behind the others in memory, and behind a size in the file. It
// returns the size of the image too.
func (f *File) layOutNew(s NewSection, fileSize int64) (Section, uint32, error) {
	end := uint64(f.Optional.SizeOfHeaders)
	for i := range f.Sections {
		other := &f.Sections[i]
		end = max(end, uint64(other.VirtualAddress)+uint64(other.virtualSize()))
	}
	unit, sector := uint64(f.Optional.SectionAlignment), uint64(f.Optional.FileAlignment)
	place := roundUp(end, unit)
	image := roundUp(place+uint64(s.Size), unit)
	if image > uint64(maxImage) {
		return Section{}, 0, fmt.Errorf("%w: with section %q the image has %d bytes, at most %d", partywall.ErrTooLarge, s.Name, image, maxImage)
	}
	off, size := roundUp(uint64(fileSize), sector), roundUp(uint64(s.Size), sector)
	if off+size > math.MaxUint32 {
		return Section{}, 0, fmt.Errorf("%w: with section %q the file has %d bytes; offsets have 32 bits", partywall.ErrTooLarge, s.Name, off+size)
	}
	return Section{
		Name:           s.Name,
		VirtualSize:    uint32(s.Size),
		VirtualAddress: uint32(place),
		RawSize:        uint32(size),
		RawOffset:      uint32(off),
		Flags:          s.Flags,
	}, uint32(image), nil
}

// header encodes the header of a section without relocations and line numbers, whose name
// has at most 8 bytes.
func (s *Section) header() []byte {
	b := make([]byte, 8, sectionHeaderSize)
	copy(b, s.Name)
	for _, n := range []uint32{s.VirtualSize, s.VirtualAddress, s.RawSize, s.RawOffset, 0, 0, 0, uint32(s.Flags)} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}
