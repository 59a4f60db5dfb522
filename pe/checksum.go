package pe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ComputeChecksum reads the whole file and returns the number that belongs in the field
// CheckSum of the optional header. Windows compares them for drivers, for libraries that
// are loaded at boot, and for those of critical processes. It is the sum of CheckSumMappedFile
// in imagehlp.dll: that of all 16-bit words, each carry added to the low end, without
// those of the field itself, folded to 16 bits, and the size of the file in bytes.
//
// It fails for a loaded image, which is not what the file is.
func (f *File) ComputeChecksum() (uint32, error) {
	if f.Mapped {
		return 0, errors.New("checksum: this is a loaded image, open its file")
	}
	var sum uint64
	b := make([]byte, min(maxWindow, f.Size))
	for off := int64(0); off < f.Size; {
		piece := b[:min(int64(len(b)), f.Size-off)]
		n, err := f.r.ReadAt(piece, off)
		if n < len(piece) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, fmt.Errorf("checksum at offset %#x of a file of %d bytes: %w", off+int64(n), f.Size, err)
		}
		sum = uint64(fold(sum + sumWords(piece)))
		off += int64(n)
	}
	folded := fold(sum)
	for _, field := range []uint16{uint16(f.Optional.CheckSum), uint16(f.Optional.CheckSum >> 16)} {
		borrow := folded < field
		if folded -= field; borrow {
			folded--
		}
	}
	return uint32(folded) + uint32(f.Size), nil
}

// sumWords adds up 16-bit words, of which the last may be half.
func sumWords(b []byte) (sum uint64) {
	for ; len(b) >= 4; b = b[4:] {
		sum += uint64(binary.LittleEndian.Uint32(b)) // folds to the same
	}
	for i, c := range b {
		sum += uint64(c) << (8 * i)
	}
	return sum
}

// fold adds the carries of 16-bit words to the low end.
func fold(sum uint64) uint16 {
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	return uint16(sum)
}
