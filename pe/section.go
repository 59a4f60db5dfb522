package pe

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A Section is a header of the section table. Sizes are in bytes.
type Section struct {
	// Name is the name up to its first zero byte, any bytes. Names of more than 8
	// bytes are in the string table ("/123"), which Windows does not look into; they
	// are read from there if the file has them.
	Name                 string
	VirtualSize          uint32 // in memory; if 0, loaders take RawSize
	VirtualAddress       uint32 // relative to the beginning of the image
	RawSize              uint32 // SizeOfRawData: in the file
	RawOffset            uint32 // PointerToRawData: file offset, 0 if there is no data
	PointerToRelocations uint32 // of object files
	PointerToLineNumbers uint32
	NumberOfRelocations  uint16
	NumberOfLineNumbers  uint16
	Flags                SectionFlags
}

// virtualSize returns the size in memory that loaders go by.
func (s *Section) virtualSize() uint32 {
	if s.VirtualSize == 0 {
		return s.RawSize
	}
	return s.VirtualSize
}

// SectionFlags are the Characteristics of a section (IMAGE_SCN_*).
type SectionFlags uint32

// Flags of sections.
const (
	Code          SectionFlags = 0x00000020 // CNT_CODE
	Initialised   SectionFlags = 0x00000040 // CNT_INITIALIZED_DATA
	Uninitialised SectionFlags = 0x00000080 // CNT_UNINITIALIZED_DATA
	Discardable   SectionFlags = 0x02000000 // MEM_DISCARDABLE
	NotCached     SectionFlags = 0x04000000 // MEM_NOT_CACHED
	NotPaged      SectionFlags = 0x08000000 // MEM_NOT_PAGED
	Shared        SectionFlags = 0x10000000 // MEM_SHARED
	Execute       SectionFlags = 0x20000000 // MEM_EXECUTE
	Read          SectionFlags = 0x40000000 // MEM_READ
	Write         SectionFlags = 0x80000000 // MEM_WRITE
)

var flagLetters = []struct {
	letter byte
	flag   SectionFlags
}{
	{'r', Read}, {'w', Write}, {'e', Execute}, {'s', Shared}, {'d', Discardable}, {'k', NotCached}, {'p', NotPaged},
}

// Has reports whether all of these flags are set.
func (f SectionFlags) Has(flags SectionFlags) bool { return f&flags == flags }

// String returns the flags that say what may be done with the memory, as linkers
// spell them in /SECTION:name,rws: r read, w write, e execute, s shared, d discardable,
// k not cached, p not paged. It leaves the other flags out.
func (f SectionFlags) String() string {
	var b strings.Builder
	for _, l := range flagLetters {
		if f.Has(l.flag) {
			b.WriteByte(l.letter)
		}
	}
	return b.String()
}

// ParseFlags parses letters as [SectionFlags.String] returns them, in any order, small
// or capital. What it returns says nothing about the contents: see [Code],
// [Initialised] and [Uninitialised].
func ParseFlags(letters string) (SectionFlags, error) {
	var f SectionFlags
next:
	for i := range len(letters) {
		for _, l := range flagLetters {
			if letters[i]|0x20 == l.letter {
				f |= l.flag
				continue next
			}
		}
		return 0, fmt.Errorf("section flags %q: %q is none of the letters r, w, e, s, d, k and p", letters, letters[i])
	}
	return f, nil
}

// parseSection reads a section header of sectionHeaderSize bytes.
func parseSection(b []byte) Section {
	le := binary.LittleEndian
	return Section{
		Name:                 untilZero(b[:8]),
		VirtualSize:          le.Uint32(b[8:]),
		VirtualAddress:       le.Uint32(b[12:]),
		RawSize:              le.Uint32(b[16:]),
		RawOffset:            le.Uint32(b[20:]),
		PointerToRelocations: le.Uint32(b[24:]),
		PointerToLineNumbers: le.Uint32(b[28:]),
		NumberOfRelocations:  le.Uint16(b[32:]),
		NumberOfLineNumbers:  le.Uint16(b[34:]),
		Flags:                SectionFlags(le.Uint32(b[36:])),
	}
}

func untilZero(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// longName parses a reference to the string table: "/123", or "//AAAAAB" with
// an offset in base 64, which LLVM and binutils write for large offsets.
func longName(name string) (offset uint32, ok bool) {
	digits, ok := strings.CutPrefix(name, "/")
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutPrefix(digits, "/"); !ok {
		n, err := strconv.ParseUint(digits, 10, 32)
		return uint32(n), err == nil
	}
	if len(digits) != 6 {
		return 0, false
	}
	b, err := base64.StdEncoding.DecodeString("AA" + digits) // 48 bits
	if err != nil || len(b) != 6 || b[1] != 0 {              // padding and line ends make it shorter
		return 0, false
	}
	return binary.BigEndian.Uint32(b[2:]), true
}
