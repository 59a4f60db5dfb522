package pe

import "encoding/binary"

// An assembler collects machine code. Places are RVAs: bytes from the image's base.
type assembler struct {
	code []byte
	rva  uint32 // of code[0]
	base uint64 // where the image would like to be
	// fixups are the places of 32-bit addresses that the loader corrects if the image
	// comes to lie elsewhere.
	fixups []uint32
}

func (a *assembler) here() uint32 { return a.rva + uint32(len(a.code)) }

func (a *assembler) bytes(b ...byte) { a.code = append(a.code, b...) }

// word appends a 32-bit instruction or constant.
func (a *assembler) word(w uint32) { a.code = binary.LittleEndian.AppendUint32(a.code, w) }

// An architecture makes the accessors of one machine. Each function appends
// one whole C function.
type architecture struct {
	// load returns the value at a place; store takes a value and keeps it there.
	load, store func(a *assembler, t Type, place uint32)
	// address returns the address of a place, and constant a number.
	address  func(a *assembler, place uint32)
	constant func(a *assembler, n uint32)
	// padding is an instruction that no one should reach.
	padding []byte

	wide       bool   // 64-bit addresses
	base       uint64 // the usual base of DLLs
	subversion uint16 // of subsystem 6: the first Windows for the machine that matters
}

// The bases are those of Microsoft's linker (/BASE); the subsystem versions are too
// (/SUBSYSTEM).
var architectures = map[Machine]*architecture{
	AMD64: {
		load: loadX64, store: storeX64, address: addressX64, constant: constantX86, padding: []byte{0xcc}, // int3
		wide: true, base: 0x180000000,
	},
	ARM64: {
		load: loadA64, store: storeA64, address: addressA64, constant: constantA64, padding: []byte{0, 0, 0x3e, 0xd4}, // brk #0xf000
		wide: true, base: 0x180000000, subversion: 2,
	},
	I386: {
		load: loadX86, store: storeX86, address: addressX86, constant: constantX86, padding: []byte{0xcc}, // int3
		base: 0x10000000,
	},
}

// functionAlignment is what C compilers use.
const functionAlignment = 16

// align fills up with padding to where the next function begins.
func (a *assembler) align(padding []byte) {
	for len(a.code)%functionAlignment != 0 {
		a.bytes(padding...)
	}
}

// An accessor is a function of the DLL, by its export name.
type accessor struct {
	name string
	emit func(*assembler)
}

// accessors lists the accessors of a variable that lies at a place.
func (arch *architecture) accessors(v *Var, place uint32) []accessor {
	var all []accessor
	if v.Count > 0 {
		all = append(all, accessor{v.sizeName(), func(a *assembler) { arch.constant(a, uint32(v.size())) }})
	}
	if v.Getter != "" {
		all = append(all, accessor{v.Getter, func(a *assembler) {
			if v.Count > 0 {
				arch.address(a, place)
			} else {
				arch.load(a, v.Type, place)
			}
		}})
	}
	if v.Setter != "" {
		all = append(all, accessor{v.Setter, func(a *assembler) { arch.store(a, v.Type, place) }})
	}
	return all
}
