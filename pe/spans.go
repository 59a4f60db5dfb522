package pe

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A span is a piece of the image: data of the file, and zeros behind it.
type span struct {
	start, end uint64 // addresses
	off        int64  // of the data in the file
	data       int64  // size of the data
}

// from cuts off what is before an address.
func (s span) from(address uint64) span {
	cut := int64(address - s.start)
	s.start, s.off, s.data = address, s.off+cut, max(0, s.data-cut)
	return s
}

// layOut computes how a loader would map the file: the headers, and each section from a
// whole sector of the file on, in whole pages. Where sections overlap, which loaders
// refuse, the one that begins later counts, and of those that begin together the first.
func (f *File) layOut() {
	unit := uint64(pageSize)
	if f.Optional.SectionAlignment < pageSize {
		unit = 1
	}
	switch {
	case f.Mapped:
		f.spans = flatten([]span{{end: uint64(f.Size), data: f.Size}})
		return
	case unit == 1 && f.flat():
		f.spans = flatten([]span{{end: uint64(f.Optional.SizeOfImage), data: f.Size}})
		return
	}
	headers := int64(f.Optional.SizeOfHeaders)
	whole := make([]span, 0, len(f.Sections)+1)
	for i := range f.Sections {
		s := &f.Sections[i]
		size := roundUp(uint64(s.virtualSize()), unit)
		if size == 0 {
			continue
		}
		off, data := sectors(s)
		whole = append(whole, span{
			start: uint64(s.VirtualAddress),
			end:   uint64(s.VirtualAddress) + size,
			off:   off,
			data:  min(data, int64(size)),
		})
	}
	whole = append(whole, span{end: roundUp(uint64(headers), unit), data: headers})
	// Of those that begin together the last one counts in flatten.
	slices.Reverse(whole)
	slices.SortStableFunc(whole, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	f.spans = flatten(whole)
}

// flat reports whether the file is mapped as it is. With a SectionAlignment of less than a
// page, as some drivers have, the sections lie in the file as in memory.
func (f *File) flat() bool {
	for i := range f.Sections {
		if s := &f.Sections[i]; s.RawOffset != s.VirtualAddress && s.RawSize != 0 {
			return false
		}
	}
	return true
}

// sectors returns the part of the file that a loader maps for a section.
func sectors(s *Section) (off, size int64) {
	off = int64(s.RawOffset) &^ (sectorSize - 1)
	if off == 0 {
		return 0, 0
	}
	end := int64(s.RawOffset) + int64(s.RawSize)
	return off, int64(roundUp(uint64(end-off), sectorSize))
}

// flatten cuts spans, which are sorted by their start, where they overlap.
func flatten(whole []span) []span {
	var flat, open []span
	at := uint64(0)
	emit := func(s span, end uint64) {
		if at < end {
			s = s.from(at)
			s.end = end
			flat = append(flat, s)
			at = end
		}
	}
	// closeUntil ends the open spans that end before an address, the innermost first.
	closeUntil := func(address uint64) {
		for len(open) > 0 {
			s := open[len(open)-1]
			if s.end > address {
				emit(s, address)
				break
			}
			emit(s, s.end)
			open = open[:len(open)-1]
		}
		at = max(at, address)
	}
	for _, s := range whole {
		closeUntil(s.start)
		open = append(open, s)
	}
	closeUntil(1 << 63)
	return flat
}

// ReadRVA reads what is at an address of the image, relative to its beginning, as a
// process would see it before any of it is changed: data of the file, and zeros where
// the file has none. It returns how many bytes it read; if they are fewer than len(b) the
// error says why, and wraps [ErrUnmapped] if the image has no more there.
//
// Sections are mapped in pages of 4096 bytes, unless SectionAlignment is less, and from a
// multiple of 512 bytes in the file on. Where sections overlap, the one that begins
// later counts.
func (f *File) ReadRVA(b []byte, rva uint32) (int, error) {
	n := 0
	for n < len(b) {
		m, err := f.readSpan(b[n:], uint64(rva)+uint64(n))
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// readSpan reads up to the end of the span that an address is in.
func (f *File) readSpan(b []byte, address uint64) (int, error) {
	i, found := slices.BinarySearchFunc(f.spans, address, func(s span, address uint64) int { return cmp.Compare(s.start, address) })
	if !found {
		i--
	}
	if i < 0 || address >= f.spans[i].end {
		return 0, fmt.Errorf("%w: %#x", ErrUnmapped, address)
	}
	s := f.spans[i].from(address)
	b = b[:min(uint64(len(b)), s.end-address)]
	data := int(min(int64(len(b)), s.data, max(0, f.Size-s.off)))
	n, err := 0, error(nil)
	if data > 0 {
		n, err = f.r.ReadAt(b[:data], s.off)
	}
	switch {
	case n == data, errors.Is(err, io.EOF):
		clear(b[n:])
		return len(b), nil
	case err == nil:
		err = io.ErrNoProgress
	}
	return n, err
}

// roundUp rounds up to a multiple of unit, a power of two.
func roundUp(n, unit uint64) uint64 { return (n + unit - 1) &^ (unit - 1) }
