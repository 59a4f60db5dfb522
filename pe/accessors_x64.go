package pe

// Accessors for AMD64, in the x64 calling convention of Windows: integers are returned
// in RAX, floats in XMM0; the first argument is in RCX or XMM0. The functions use no
// stack and call nothing, so they need no unwind data (.pdata).
//
// Each instruction is its opcode with a ModRM byte of mod 00 and r/m 101, which is
// [rip+disp32]: an address relative to the next instruction (Intel SDM volume 2,
// 2.2.1.6). REX.W is 48.

var loadsX64 = map[Type][]byte{
	Int8:    {0x0f, 0xbe, 0x05},       // movsx eax, byte ptr [rip+disp32]
	Uint8:   {0x0f, 0xb6, 0x05},       // movzx eax, byte ptr [rip+disp32]
	Int16:   {0x0f, 0xbf, 0x05},       // movsx eax, word ptr [rip+disp32]
	Uint16:  {0x0f, 0xb7, 0x05},       // movzx eax, word ptr [rip+disp32]
	Int32:   {0x8b, 0x05},             // mov eax, dword ptr [rip+disp32]
	Uint32:  {0x8b, 0x05},             // mov eax, dword ptr [rip+disp32]
	Int64:   {0x48, 0x8b, 0x05},       // mov rax, qword ptr [rip+disp32]
	Uint64:  {0x48, 0x8b, 0x05},       // mov rax, qword ptr [rip+disp32]
	Float32: {0xf3, 0x0f, 0x10, 0x05}, // movss xmm0, dword ptr [rip+disp32]
	Float64: {0xf2, 0x0f, 0x10, 0x05}, // movsd xmm0, qword ptr [rip+disp32]
}

var storesX64 = map[Type][]byte{
	Int8:    {0x88, 0x0d},             // mov byte ptr [rip+disp32], cl
	Uint8:   {0x88, 0x0d},             // mov byte ptr [rip+disp32], cl
	Int16:   {0x66, 0x89, 0x0d},       // mov word ptr [rip+disp32], cx
	Uint16:  {0x66, 0x89, 0x0d},       // mov word ptr [rip+disp32], cx
	Int32:   {0x89, 0x0d},             // mov dword ptr [rip+disp32], ecx
	Uint32:  {0x89, 0x0d},             // mov dword ptr [rip+disp32], ecx
	Int64:   {0x48, 0x89, 0x0d},       // mov qword ptr [rip+disp32], rcx
	Uint64:  {0x48, 0x89, 0x0d},       // mov qword ptr [rip+disp32], rcx
	Float32: {0xf3, 0x0f, 0x11, 0x05}, // movss dword ptr [rip+disp32], xmm0
	Float64: {0xf2, 0x0f, 0x11, 0x05}, // movsd qword ptr [rip+disp32], xmm0
}

func loadX64(a *assembler, t Type, place uint32) {
	a.bytes(loadsX64[t]...)
	a.relative(place)
	a.bytes(0xc3) // ret
}

func storeX64(a *assembler, t Type, place uint32) {
	a.bytes(storesX64[t]...)
	a.relative(place)
	a.bytes(0xc3) // ret
}

func addressX64(a *assembler, place uint32) {
	a.bytes(0x48, 0x8d, 0x05) // lea rax, [rip+disp32]
	a.relative(place)
	a.bytes(0xc3) // ret
}

// constantX86 serves both 386 and AMD64.
func constantX86(a *assembler, n uint32) {
	a.bytes(0xb8) // mov eax, imm32
	a.word(n)
	a.bytes(0xc3) // ret
}

// relative appends the distance from behind these four bytes to a place.
func (a *assembler) relative(place uint32) { a.word(place - (a.here() + 4)) }
