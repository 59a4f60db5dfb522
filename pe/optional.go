package pe

import "encoding/binary"

// Optional is the optional header of an image, without the data directories. Sizes are
// in bytes and addresses relative to ImageBase.
type Optional struct {
	Plus                  bool // PE32+: the fields for 64-bit addresses have 8 bytes
	MajorLinkerVersion    uint8
	MinorLinkerVersion    uint8
	SizeOfCode            uint32
	SizeOfInitializedData uint32
	// SizeOfUninitializedData is the size of what is zero and not in the file.
	SizeOfUninitializedData uint32
	EntryPoint              uint32 // AddressOfEntryPoint, 0 if there is none
	BaseOfCode              uint32
	BaseOfData              uint32 // PE32 only
	ImageBase               uint64 // where the linker expected the image to be
	SectionAlignment        uint32
	FileAlignment           uint32
	MajorOSVersion          uint16 // MajorOperatingSystemVersion
	MinorOSVersion          uint16
	MajorImageVersion       uint16
	MinorImageVersion       uint16
	MajorSubsystemVersion   uint16
	MinorSubsystemVersion   uint16
	Win32VersionValue       uint32
	SizeOfImage             uint32
	SizeOfHeaders           uint32
	CheckSum                uint32 // 0 if the linker did not compute one, see [File.ComputeChecksum]
	Subsystem               uint16
	DLLCharacteristics      uint16
	SizeOfStackReserve      uint64
	SizeOfStackCommit       uint64
	SizeOfHeapReserve       uint64
	SizeOfHeapCommit        uint64
	LoaderFlags             uint32
	NumberOfRvaAndSizes     uint32 // as the file says it; the directories are at most 16
}

const (
	magicPE32 = 0x10B
	magicPlus = 0x20B
	magicROM  = 0x107

	sizePE32 = 96 // of the optional header without directories
	sizePlus = 112

	checkSumOffset = 64 // in both kinds
)

// optionalSize returns the size of an optional header without its directories, or 0 if
// the magic number is unknown.
func optionalSize(magic uint16) int {
	switch magic {
	case magicPE32:
		return sizePE32
	case magicPlus:
		return sizePlus
	}
	return 0
}

// parseOptional reads an optional header of optionalSize bytes.
func parseOptional(b []byte) Optional {
	le := binary.LittleEndian
	plus := le.Uint16(b) == magicPlus
	o := Optional{
		Plus:                    plus,
		MajorLinkerVersion:      b[2],
		MinorLinkerVersion:      b[3],
		SizeOfCode:              le.Uint32(b[4:]),
		SizeOfInitializedData:   le.Uint32(b[8:]),
		SizeOfUninitializedData: le.Uint32(b[12:]),
		EntryPoint:              le.Uint32(b[16:]),
		BaseOfCode:              le.Uint32(b[20:]),
		SectionAlignment:        le.Uint32(b[32:]),
		FileAlignment:           le.Uint32(b[36:]),
		MajorOSVersion:          le.Uint16(b[40:]),
		MinorOSVersion:          le.Uint16(b[42:]),
		MajorImageVersion:       le.Uint16(b[44:]),
		MinorImageVersion:       le.Uint16(b[46:]),
		MajorSubsystemVersion:   le.Uint16(b[48:]),
		MinorSubsystemVersion:   le.Uint16(b[50:]),
		Win32VersionValue:       le.Uint32(b[52:]),
		SizeOfImage:             le.Uint32(b[56:]),
		SizeOfHeaders:           le.Uint32(b[60:]),
		CheckSum:                le.Uint32(b[checkSumOffset:]),
		Subsystem:               le.Uint16(b[68:]),
		DLLCharacteristics:      le.Uint16(b[70:]),
	}
	if plus {
		o.ImageBase = le.Uint64(b[24:])
		o.SizeOfStackReserve = le.Uint64(b[72:])
		o.SizeOfStackCommit = le.Uint64(b[80:])
		o.SizeOfHeapReserve = le.Uint64(b[88:])
		o.SizeOfHeapCommit = le.Uint64(b[96:])
		o.LoaderFlags = le.Uint32(b[104:])
		o.NumberOfRvaAndSizes = le.Uint32(b[108:])
		return o
	}
	o.BaseOfData = le.Uint32(b[24:])
	o.ImageBase = uint64(le.Uint32(b[28:]))
	o.SizeOfStackReserve = uint64(le.Uint32(b[72:]))
	o.SizeOfStackCommit = uint64(le.Uint32(b[76:]))
	o.SizeOfHeapReserve = uint64(le.Uint32(b[80:]))
	o.SizeOfHeapCommit = uint64(le.Uint32(b[84:]))
	o.LoaderFlags = le.Uint32(b[88:])
	o.NumberOfRvaAndSizes = le.Uint32(b[92:])
	return o
}
