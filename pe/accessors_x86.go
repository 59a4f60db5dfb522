package pe

// Accessors for 386, in the cdecl convention: the argument is on the stack above the
// return address, at [esp+4]; integers are returned in EAX, those of 64 bits in
// EDX:EAX, floats in ST(0). The caller removes the argument.
//
// Code for 386 cannot address relative to itself. It names addresses, which the
// loader corrects: each has an entry in .reloc.

// A partX86 is an instruction with the address of the variable plus offset.
type partX86 struct {
	opcode []byte
	offset uint32
}

var loadsX86 = map[Type][]partX86{
	Int8:    {{opcode: []byte{0x0f, 0xbe, 0x05}}},                              // movsx eax, byte ptr [address]
	Uint8:   {{opcode: []byte{0x0f, 0xb6, 0x05}}},                              // movzx eax, byte ptr [address]
	Int16:   {{opcode: []byte{0x0f, 0xbf, 0x05}}},                              // movsx eax, word ptr [address]
	Uint16:  {{opcode: []byte{0x0f, 0xb7, 0x05}}},                              // movzx eax, word ptr [address]
	Int32:   {{opcode: []byte{0xa1}}},                                          // mov eax, dword ptr [address]
	Uint32:  {{opcode: []byte{0xa1}}},                                          // mov eax, dword ptr [address]
	Int64:   {{opcode: []byte{0xa1}}, {opcode: []byte{0x8b, 0x15}, offset: 4}}, // mov eax, [address]; mov edx, [address+4]
	Uint64:  {{opcode: []byte{0xa1}}, {opcode: []byte{0x8b, 0x15}, offset: 4}}, // mov eax, [address]; mov edx, [address+4]
	Float32: {{opcode: []byte{0xd9, 0x05}}},                                    // fld dword ptr [address]
	Float64: {{opcode: []byte{0xdd, 0x05}}},                                    // fld qword ptr [address]
}

// argumentsX86 fetch the argument, which storesX86 keep.
var argumentsX86 = map[Type][]byte{
	Int8:    {0x8b, 0x44, 0x24, 0x04},                         // mov eax, dword ptr [esp+4]
	Uint8:   {0x8b, 0x44, 0x24, 0x04},                         // mov eax, dword ptr [esp+4]
	Int16:   {0x8b, 0x44, 0x24, 0x04},                         // mov eax, dword ptr [esp+4]
	Uint16:  {0x8b, 0x44, 0x24, 0x04},                         // mov eax, dword ptr [esp+4]
	Int32:   {0x8b, 0x44, 0x24, 0x04},                         // mov eax, dword ptr [esp+4]
	Uint32:  {0x8b, 0x44, 0x24, 0x04},                         // mov eax, dword ptr [esp+4]
	Int64:   {0x8b, 0x44, 0x24, 0x04, 0x8b, 0x54, 0x24, 0x08}, // mov eax, [esp+4]; mov edx, [esp+8]
	Uint64:  {0x8b, 0x44, 0x24, 0x04, 0x8b, 0x54, 0x24, 0x08}, // mov eax, [esp+4]; mov edx, [esp+8]
	Float32: {0xd9, 0x44, 0x24, 0x04},                         // fld dword ptr [esp+4]
	Float64: {0xdd, 0x44, 0x24, 0x04},                         // fld qword ptr [esp+4]
}

var storesX86 = map[Type][]partX86{
	Int8:    {{opcode: []byte{0xa2}}},                                          // mov byte ptr [address], al
	Uint8:   {{opcode: []byte{0xa2}}},                                          // mov byte ptr [address], al
	Int16:   {{opcode: []byte{0x66, 0xa3}}},                                    // mov word ptr [address], ax
	Uint16:  {{opcode: []byte{0x66, 0xa3}}},                                    // mov word ptr [address], ax
	Int32:   {{opcode: []byte{0xa3}}},                                          // mov dword ptr [address], eax
	Uint32:  {{opcode: []byte{0xa3}}},                                          // mov dword ptr [address], eax
	Int64:   {{opcode: []byte{0xa3}}, {opcode: []byte{0x89, 0x15}, offset: 4}}, // mov [address], eax; mov [address+4], edx
	Uint64:  {{opcode: []byte{0xa3}}, {opcode: []byte{0x89, 0x15}, offset: 4}}, // mov [address], eax; mov [address+4], edx
	Float32: {{opcode: []byte{0xd9, 0x1d}}},                                    // fstp dword ptr [address]
	Float64: {{opcode: []byte{0xdd, 0x1d}}},                                    // fstp qword ptr [address]
}

func loadX86(a *assembler, t Type, place uint32) {
	for _, p := range loadsX86[t] {
		a.bytes(p.opcode...)
		a.absolute(place + p.offset)
	}
	a.bytes(0xc3) // ret
}

func storeX86(a *assembler, t Type, place uint32) {
	a.bytes(argumentsX86[t]...)
	for _, p := range storesX86[t] {
		a.bytes(p.opcode...)
		a.absolute(place + p.offset)
	}
	a.bytes(0xc3) // ret
}

func addressX86(a *assembler, place uint32) {
	a.bytes(0xb8) // mov eax, address
	a.absolute(place)
	a.bytes(0xc3) // ret
}

// absolute appends the address of a place, and notes that the loader corrects it.
func (a *assembler) absolute(place uint32) {
	a.fixups = append(a.fixups, a.here())
	a.word(uint32(a.base) + place)
}
