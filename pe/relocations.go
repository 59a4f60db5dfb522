package pe

import (
	"encoding/binary"
	"iter"
	"math"
)

// A Relocation is an address inside the image that a loader changes if the image is not at
// its ImageBase.
type Relocation struct {
	RVA  uint32 // relative to the beginning of the image
	Type RelocationType
}

// A RelocationType says how many bytes are changed, and how (IMAGE_REL_BASED_*).
type RelocationType uint8

// Types of relocations. Those of 5 and of 7 to 9 depend on the machine.
const (
	RelocHigh    RelocationType = 1  // the high 16 bits of 32, in 2 bytes
	RelocLow     RelocationType = 2  // the low 16 bits of 32, in 2 bytes
	RelocHighLow RelocationType = 3  // 4 bytes
	RelocHighAdj RelocationType = 4  // as RelocHigh, rounded
	RelocDir64   RelocationType = 10 // 8 bytes

	relocAbsolute RelocationType = 0 // padding
)

// Relocations reads the base relocations in the order of the file, without those that
// only pad (IMAGE_REL_BASED_ABSOLUTE). It ends at the first error, which it yields. It
// reads at most 16777216, in blocks of at most 16384.
func (f *File) Relocations() iter.Seq2[Relocation, error] {
	return func(yield func(Relocation, error) bool) {
		d := f.Directory(DirBaseReloc)
		if d.Address == 0 {
			return
		}
		r := relocationReader{w: f.addresses(), left: maxRelocations, yield: yield}
		end := int64(d.Address) + int64(d.Size)
		for at := int64(d.Address); at < end; {
			size, err := r.block(at, end-at)
			if err != nil {
				yield(Relocation{}, err)
				return
			}
			if size == 0 {
				return
			}
			at += size
		}
	}
}

type relocationReader struct {
	w     *window
	left  int
	yield func(Relocation, error) bool
}

// block reads a block and returns its size in bytes, 0 if the caller wants no more.
func (r *relocationReader) block(at, room int64) (int64, error) {
	const header, entry = 8, 2
	rva := uint32(at)
	b, err := r.w.at(at, header)
	if err != nil {
		return 0, damaged("the relocations", rva, err)
	}
	page, size := binary.LittleEndian.Uint32(b), int64(binary.LittleEndian.Uint32(b[4:]))
	if size < header || size > room || size > header+entry*maxBlock {
		return 0, malformedAt(rva, "a block of relocations of %d bytes; there are %d, and blocks have %d to %d", size, room, header, header+entry*maxBlock)
	}
	// Padding counts, and so does an empty block: it costs time all the same.
	if r.left -= 1 + int((size-header)/entry); r.left < 0 {
		return 0, malformedAt(rva, "more than %d relocations", maxRelocations)
	}
	if b, err = r.w.at(at, int(size)); err != nil {
		return 0, damaged("a block of relocations", rva, err)
	}
	for b = b[header:]; len(b) >= entry; b = b[entry:] {
		e := binary.LittleEndian.Uint16(b)
		kind, target := RelocationType(e>>12), uint64(page)+uint64(e&0xFFF)
		if kind == relocAbsolute {
			continue
		}
		if target > math.MaxUint32 {
			return 0, malformedAt(rva, "a relocation at address %#x", target)
		}
		if !r.yield(Relocation{RVA: uint32(target), Type: kind}, nil) {
			return 0, nil
		}
		if kind == RelocHighAdj && len(b) >= 2*entry {
			b = b[entry:] // its low half
		}
	}
	return size, nil
}
