package pe

import (
	stdpe "debug/pe"
	"encoding/binary"
	"slices"
)

const (
	dllSectionAlignment = 0x1000
	dllFileAlignment    = 0x200
)

func (d *DLL) machine() Machine {
	if d.Machine == 0 {
		return AMD64
	}
	return d.Machine
}

// A dllSection is a section to be made. Its size in memory is that of its data.
type dllSection struct {
	name  string
	flags SectionFlags
	place uint32
	data  []byte
	vars  []*Var
	at    []uint32 // where in the section each variable is
}

// dataSections lays the variables out.
func (d *DLL) dataSections() []*dllSection {
	var all []*dllSection
	for i := range d.Vars {
		v := &d.Vars[i]
		n := slices.IndexFunc(all, func(s *dllSection) bool { return s.name == v.Section })
		if n < 0 {
			n = len(all)
			flags := Initialised | Read | Write
			if !v.Private {
				flags |= Shared
			}
			all = append(all, &dllSection{name: v.Section, flags: flags})
		}
		s := all[n]
		at := roundUp(uint64(len(s.data)), v.alignment())
		s.data = append(s.data, make([]byte, at+v.size()-uint64(len(s.data)))...)
		copy(s.data[at:], v.Initial)
		s.vars = append(s.vars, v)
		s.at = append(s.at, uint32(at))
	}
	return all
}

// image makes the file: the headers, .text if there are accessors, the variables'
// sections, .edata, and .reloc if code names addresses.
func (d *DLL) image() ([]byte, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	arch := architectures[d.machine()]
	vars := d.dataSections()
	text := &dllSection{name: ".text", flags: Code | Execute | Read}
	edata := &dllSection{name: ".edata", flags: Initialised | Read}
	relocs := &dllSection{name: ".reloc", flags: Initialised | Read | Discardable}

	// How long code is does not depend on where it and the variables are.
	a, _ := assembleAccessors(arch, text.place, vars)
	text.data = a.code
	var sections []*dllSection
	if len(text.data) > 0 {
		sections = append(sections, text)
	}
	sections = append(append(sections, vars...), edata)
	if len(a.fixups) > 0 {
		sections = append(sections, relocs)
	}
	headers := roundUp(headersSize(arch, len(sections)), dllFileAlignment)
	end := roundUp(headers, dllSectionAlignment)
	for _, s := range sections {
		s.place = uint32(end)
		if s == edata { // the places of code and variables are known now
			a, functions := assembleAccessors(arch, text.place, vars)
			text.data = a.code
			edata.data = d.edata(edata.place, d.exports(functions, vars))
			relocs.data = dllRelocs(a.fixups)
		}
		end = roundUp(end+uint64(len(s.data)), dllSectionAlignment)
	}
	image := d.headers(arch, sections, uint32(headers), uint32(end))
	for _, s := range sections {
		image = append(image, s.data...)
		image = append(image, make([]byte, roundUp(uint64(len(image)), dllFileAlignment)-uint64(len(image)))...)
	}
	// The field is zero until here. What imagehlp computes is said at ComputeChecksum.
	at := dosHeaderSize + len(peSignature) + coffHeaderSize + checkSumOffset
	binary.LittleEndian.PutUint32(image[at:], uint32(fold(sumWords(image)))+uint32(len(image)))
	return image, nil
}

// assembleAccessors makes the code of all accessors, which begins at a place, and says
// where each is.
func assembleAccessors(arch *architecture, place uint32, vars []*dllSection) (*assembler, []dllExport) {
	a := &assembler{rva: place, base: arch.base}
	var functions []dllExport
	for _, s := range vars {
		for i, v := range s.vars {
			for _, f := range arch.accessors(v, s.place+s.at[i]) {
				a.align(arch.padding)
				functions = append(functions, dllExport{name: f.name, place: a.here()})
				f.emit(a)
			}
		}
	}
	return a, functions
}

func (d *DLL) exports(functions []dllExport, vars []*dllSection) []dllExport {
	all := functions
	for _, s := range vars {
		for i, v := range s.vars {
			all = append(all, dllExport{name: v.Name, place: s.place + s.at[i]})
		}
	}
	for _, f := range d.Forwards {
		all = append(all, dllExport{name: f.Name, forward: f.Target})
	}
	return all
}

// peSignature follows the DOS header.
const peSignature = "PE\x00\x00"

func headersSize(arch *architecture, sections int) uint64 {
	optional := binary.Size(stdpe.OptionalHeader32{})
	if arch.wide {
		optional = binary.Size(stdpe.OptionalHeader64{})
	}
	return uint64(dosHeaderSize + len(peSignature) + binary.Size(stdpe.FileHeader{}) + optional + sections*binary.Size(stdpe.SectionHeader32{}))
}

// headers makes the headers, of a size in the file, for an image of a size in memory. The
// checksum is missing.
func (d *DLL) headers(arch *architecture, sections []*dllSection, size, imageSize uint32) []byte {
	optional := stdpe.OptionalHeader64{
		Magic:                       magicPlus,
		ImageBase:                   arch.base,
		SectionAlignment:            dllSectionAlignment,
		FileAlignment:               dllFileAlignment,
		MajorOperatingSystemVersion: 6,
		MinorOperatingSystemVersion: arch.subversion,
		MajorSubsystemVersion:       6,
		MinorSubsystemVersion:       arch.subversion,
		SizeOfImage:                 imageSize,
		SizeOfHeaders:               size,
		Subsystem:                   SubsystemGUI, // as Microsoft's linker has it for DLLs
		DllCharacteristics:          DynamicBase | NXCompat,
		SizeOfStackReserve:          1 << 20,
		SizeOfStackCommit:           1 << 12,
		SizeOfHeapReserve:           1 << 20,
		SizeOfHeapCommit:            1 << 12,
		NumberOfRvaAndSizes:         16,
	}
	file := stdpe.FileHeader{
		Machine:              uint16(d.machine()),
		NumberOfSections:     uint16(len(sections)),
		TimeDateStamp:        d.Timestamp,
		SizeOfOptionalHeader: uint16(binary.Size(stdpe.OptionalHeader32{})),
		Characteristics:      FileDLL | FileExecutableImage | FileLargeAddressAware,
	}
	if arch.wide {
		file.SizeOfOptionalHeader = uint16(binary.Size(optional))
		optional.DllCharacteristics |= HighEntropyVA
	} else {
		file.Characteristics |= File32BitMachine
	}
	var table []stdpe.SectionHeader32
	raw := size
	for _, s := range sections {
		h := stdpe.SectionHeader32{
			VirtualSize:      uint32(len(s.data)),
			VirtualAddress:   s.place,
			SizeOfRawData:    uint32(roundUp(uint64(len(s.data)), dllFileAlignment)),
			PointerToRawData: raw,
			Characteristics:  uint32(s.flags),
		}
		copy(h.Name[:], s.name)
		table = append(table, h)
		raw += h.SizeOfRawData
		directory := stdpe.DataDirectory{VirtualAddress: h.VirtualAddress, Size: h.VirtualSize}
		switch s.name {
		case ".text":
			optional.BaseOfCode = h.VirtualAddress
			optional.SizeOfCode = h.SizeOfRawData
			continue
		case ".edata":
			optional.DataDirectory[DirExport] = directory
		case ".reloc":
			optional.DataDirectory[DirBaseReloc] = directory
		}
		optional.SizeOfInitializedData += h.SizeOfRawData
	}

	dos := make([]byte, dosHeaderSize)
	copy(dos, "MZ")
	binary.LittleEndian.PutUint16(dos[0x18:], dosHeaderSize) // e_lfarlc: where relocations would be
	binary.LittleEndian.PutUint32(dos[0x3c:], dosHeaderSize) // e_lfanew
	var chosen any = optional
	if !arch.wide {
		chosen = narrow(optional)
	}
	image := append(dos, peSignature...)
	for _, part := range []any{file, chosen, table} {
		image, _ = binary.Append(image, binary.LittleEndian, part) // of fixed size: cannot fail
	}
	return append(image, make([]byte, size-uint32(len(image)))...)
}

// narrow is the header of 32-bit images.
func narrow(h stdpe.OptionalHeader64) stdpe.OptionalHeader32 {
	return stdpe.OptionalHeader32{
		Magic:                       magicPE32,
		SizeOfCode:                  h.SizeOfCode,
		SizeOfInitializedData:       h.SizeOfInitializedData,
		BaseOfCode:                  h.BaseOfCode,
		ImageBase:                   uint32(h.ImageBase),
		SectionAlignment:            h.SectionAlignment,
		FileAlignment:               h.FileAlignment,
		MajorOperatingSystemVersion: h.MajorOperatingSystemVersion,
		MinorOperatingSystemVersion: h.MinorOperatingSystemVersion,
		MajorSubsystemVersion:       h.MajorSubsystemVersion,
		MinorSubsystemVersion:       h.MinorSubsystemVersion,
		SizeOfImage:                 h.SizeOfImage,
		SizeOfHeaders:               h.SizeOfHeaders,
		Subsystem:                   h.Subsystem,
		DllCharacteristics:          h.DllCharacteristics,
		SizeOfStackReserve:          uint32(h.SizeOfStackReserve),
		SizeOfStackCommit:           uint32(h.SizeOfStackCommit),
		SizeOfHeapReserve:           uint32(h.SizeOfHeapReserve),
		SizeOfHeapCommit:            uint32(h.SizeOfHeapCommit),
		NumberOfRvaAndSizes:         h.NumberOfRvaAndSizes,
		DataDirectory:               h.DataDirectory,
	}
}
