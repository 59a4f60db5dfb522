package pe

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
)

// inspect warns of what is strange about the headers.
func (f *File) inspect() {
	o := &f.Optional
	if f.Offsets.PE%4 != 0 {
		f.warn("the PE signature is at offset %#x, which is no multiple of 4", f.Offsets.PE)
	}
	if f.Offsets.PE < dosHeaderSize {
		f.warn("the PE headers at offset %#x overlap the MS-DOS header", f.Offsets.PE)
	}
	if n := o.NumberOfRvaAndSizes; n > maxDirectories {
		f.warn("%d data directories; the first %d count", n, maxDirectories)
	}
	f.inspectAlignment()
	if o.SizeOfHeaders == 0 || !f.Mapped && int64(o.SizeOfHeaders) > f.Size {
		f.warn("SizeOfHeaders is %d bytes, the file has %d", o.SizeOfHeaders, f.Size)
	}
	if end := f.Offsets.SectionTable + int64(len(f.Sections))*sectionHeaderSize; end > int64(o.SizeOfHeaders) {
		f.warn("the section table ends at offset %#x, beyond SizeOfHeaders %#x", end, o.SizeOfHeaders)
	}
	if len(f.Sections) == 0 {
		f.warn("no sections")
	}
	for i := range f.Sections {
		f.inspectSection(i)
	}
	f.inspectOrder()
	f.inspectDirectories()
}

func (f *File) inspectAlignment() {
	section, file := f.Optional.SectionAlignment, f.Optional.FileAlignment
	switch {
	case bits.OnesCount32(section) != 1 || bits.OnesCount32(file) != 1:
		f.warn("SectionAlignment %#x and FileAlignment %#x must be powers of two", section, file)
	case section < file:
		f.warn("SectionAlignment %#x is less than FileAlignment %#x", section, file)
	}
}

func (f *File) inspectSection(i int) {
	s := &f.Sections[i]
	name := printable(s.Name)
	if a := uint64(f.Optional.SectionAlignment); bits.OnesCount64(a) == 1 && uint64(s.VirtualAddress)%a != 0 {
		f.warn("section %d, %s: its address %#x is no multiple of SectionAlignment", i+1, name, s.VirtualAddress)
	}
	if end := uint64(s.VirtualAddress) + uint64(s.virtualSize()); end > uint64(f.Optional.SizeOfImage) {
		f.warn("section %d, %s: it ends at address %#x, beyond SizeOfImage %#x", i+1, name, end, f.Optional.SizeOfImage)
	}
	if s.virtualSize() == 0 {
		f.warn("section %d, %s: it is empty", i+1, name)
	}
	if f.Mapped || s.RawSize == 0 || s.RawOffset == 0 {
		return
	}
	if end := int64(s.RawOffset) + int64(s.RawSize); end > f.Size {
		f.warn("section %d, %s: its data ends at offset %#x, the file at %#x", i+1, name, end, f.Size)
	}
	if s.RawOffset%sectorSize != 0 && f.Optional.SectionAlignment >= pageSize {
		f.warn("section %d, %s: its data begins at offset %#x; loaders begin at %#x", i+1, name, s.RawOffset, s.RawOffset&^(sectorSize-1))
	}
}

// inspectOrder warns of sections that are not one behind the other.
func (f *File) inspectOrder() {
	byAddress := func(a, b int) int { return cmp.Compare(f.Sections[a].VirtualAddress, f.Sections[b].VirtualAddress) }
	order := make([]int, len(f.Sections))
	for i := range order {
		order[i] = i
	}
	if !slices.IsSortedFunc(order, byAddress) {
		f.warn("the sections are not in the order of their addresses")
		slices.SortStableFunc(order, byAddress)
	}
	unit := uint64(f.Optional.SectionAlignment)
	if bits.OnesCount64(unit) != 1 {
		unit = 1
	}
	overlaps, gaps := 0, 0
	end := roundUp(uint64(f.Optional.SizeOfHeaders), unit)
	for _, i := range order {
		s := &f.Sections[i]
		switch start := uint64(s.VirtualAddress); {
		case start < end:
			overlaps++
		case start > end:
			gaps++
		}
		end = max(end, roundUp(uint64(s.VirtualAddress)+uint64(s.virtualSize()), unit))
	}
	if overlaps > 0 {
		f.warn("sections that overlap others or the headers in memory: %d", overlaps)
	}
	if gaps > 0 {
		f.warn("gaps between sections in memory: %d", gaps)
	}
}

func (f *File) inspectDirectories() {
	for i, d := range f.Directories {
		end := int64(d.Address) + int64(d.Size)
		switch {
		case d.Address == 0 || i == DirArchitecture:
		case i == DirSecurity:
			if !f.Mapped && end > f.Size {
				f.warn("data directory %d, the signature: it ends at offset %#x, the file at %#x", i, end, f.Size)
			}
		case end > int64(f.Optional.SizeOfImage):
			f.warn("data directory %d: it ends at address %#x, beyond SizeOfImage %#x", i, end, f.Optional.SizeOfImage)
		}
	}
}

// printable quotes a name, and cuts a long one.
func printable(name string) string {
	if len(name) > 40 {
		return strconv.Quote(name[:40]) + "..."
	}
	return strconv.Quote(name)
}
