package pe

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A dllExport is a name with a place, or with the name of another DLL's export.
type dllExport struct {
	name    string
	place   uint32
	forward string
}

// dllExportDirectory is IMAGE_EXPORT_DIRECTORY.
type dllExportDirectory struct {
	Characteristics       uint32
	TimeDateStamp         uint32
	MajorVersion          uint16
	MinorVersion          uint16
	Name                  uint32 // RVA of the DLL's name
	Base                  uint32 // the first ordinal
	NumberOfFunctions     uint32
	NumberOfNames         uint32
	AddressOfFunctions    uint32 // RVA of RVAs: what is exported, or of a forward's target in this section
	AddressOfNames        uint32 // RVA of RVAs: the names, in order
	AddressOfNameOrdinals uint32 // RVA of indexes into the functions, one for each name
}

// edata makes the section of the exports, which begins at a place. Names are in the order
// of their bytes: GetProcAddress searches by halves. Ordinals are in the same order.
//
// The loader takes an export for a forward if its RVA lies in the export directory, so
// the directory is the whole section, and nothing else lies in it.
func (d *DLL) edata(place uint32, exports []dllExport) []byte {
	slices.SortFunc(exports, func(a, b dllExport) int { return cmp.Compare(a.name, b.name) })
	n := uint32(len(exports))
	dir := dllExportDirectory{
		TimeDateStamp:     d.Timestamp,
		Base:              1,
		NumberOfFunctions: n,
		NumberOfNames:     n,
	}
	dir.AddressOfFunctions = place + uint32(binary.Size(dir))
	dir.AddressOfNames = dir.AddressOfFunctions + 4*n
	dir.AddressOfNameOrdinals = dir.AddressOfNames + 4*n
	texts := dir.AddressOfNameOrdinals + 2*n
	var text []byte
	add := func(s string) uint32 {
		at := texts + uint32(len(text))
		text = append(append(text, s...), 0)
		return at
	}
	dir.Name = add(d.Name)
	var functions, names, ordinals []byte
	for i, e := range exports {
		rva := e.place
		if e.forward != "" {
			rva = add(e.forward)
		}
		functions = binary.LittleEndian.AppendUint32(functions, rva)
		names = binary.LittleEndian.AppendUint32(names, add(e.name))
		ordinals = binary.LittleEndian.AppendUint16(ordinals, uint16(i))
	}
	section, _ := binary.Append(nil, binary.LittleEndian, dir) // a struct of fixed size: cannot fail
	return slices.Concat(section, functions, names, ordinals, text)
}

// dllHighLow is IMAGE_REL_BASED_HIGHLOW: the loader adds to 32 bits.
const dllHighLow = 3

// dllRelocs makes the section that lists fixups, which ascend: for each page its RVA, the size
// of the block, and 16 bits for each place, with the type in the upper 4. Blocks are
// filled up to 4 bytes with an entry that says nothing.
func dllRelocs(fixups []uint32) []byte {
	var section []byte
	for len(fixups) > 0 {
		page := fixups[0] &^ 0xfff
		n := slices.IndexFunc(fixups, func(f uint32) bool { return f&^0xfff != page })
		if n < 0 {
			n = len(fixups)
		}
		section = binary.LittleEndian.AppendUint32(section, page)
		section = binary.LittleEndian.AppendUint32(section, uint32(8+2*(n+n%2)))
		for _, f := range fixups[:n] {
			section = binary.LittleEndian.AppendUint16(section, dllHighLow<<12|uint16(f-page))
		}
		if n%2 != 0 {
			section = append(section, 0, 0)
		}
		fixups = fixups[n:]
	}
	return section
}
