package pe

// Accessors for ARM64, in the AAPCS64 convention: integers are returned in W0 or X0,
// floats in S0 or D0, and the first argument is there too. X8 is free for use.
//
// ADRP gives the address of a place's 4 KiB page, relative to the instruction's own
// page; the load or store adds the place's offset in its page. Encodings are from the
// Arm ARM, C6.2 and C7.2: loads and stores are the forms with an unsigned immediate
// offset, which counts in units of the size.

// The instructions have their registers filled in: Rt is 0, and Rn is 8.
var loadsA64 = map[Type]uint32{
	Int8:    0x39c00100, // ldrsb w0, [x8, #offset]
	Uint8:   0x39400100, // ldrb w0, [x8, #offset]
	Int16:   0x79c00100, // ldrsh w0, [x8, #offset]
	Uint16:  0x79400100, // ldrh w0, [x8, #offset]
	Int32:   0xb9400100, // ldr w0, [x8, #offset]
	Uint32:  0xb9400100, // ldr w0, [x8, #offset]
	Int64:   0xf9400100, // ldr x0, [x8, #offset]
	Uint64:  0xf9400100, // ldr x0, [x8, #offset]
	Float32: 0xbd400100, // ldr s0, [x8, #offset]
	Float64: 0xfd400100, // ldr d0, [x8, #offset]
}

var storesA64 = map[Type]uint32{
	Int8:    0x39000100, // strb w0, [x8, #offset]
	Uint8:   0x39000100, // strb w0, [x8, #offset]
	Int16:   0x79000100, // strh w0, [x8, #offset]
	Uint16:  0x79000100, // strh w0, [x8, #offset]
	Int32:   0xb9000100, // str w0, [x8, #offset]
	Uint32:  0xb9000100, // str w0, [x8, #offset]
	Int64:   0xf9000100, // str x0, [x8, #offset]
	Uint64:  0xf9000100, // str x0, [x8, #offset]
	Float32: 0xbd000100, // str s0, [x8, #offset]
	Float64: 0xfd000100, // str d0, [x8, #offset]
}

const retA64 = 0xd65f03c0 // ret

func loadA64(a *assembler, t Type, place uint32)  { a.access(loadsA64[t], t, place) }
func storeA64(a *assembler, t Type, place uint32) { a.access(storesA64[t], t, place) }

func (a *assembler) access(instruction uint32, t Type, place uint32) {
	a.adrp(8, place) // adrp x8, place
	a.word(instruction | place%pageA64/uint32(t.Size())<<10)
	a.word(retA64)
}

func addressA64(a *assembler, place uint32) {
	a.adrp(0, place)                       // adrp x0, place
	a.word(0x91000000 | place%pageA64<<10) // add x0, x0, #offset
	a.word(retA64)
}

func constantA64(a *assembler, n uint32) {
	a.word(0x52800000 | n&0xffff<<5) // mov w0, #(n & 0xffff)
	if n>>16 != 0 {
		a.word(0x72a00000 | n>>16<<5) // movk w0, #(n >> 16), lsl #16
	}
	a.word(retA64)
}

// pageA64 is ADRP's page, whatever the system's pages are.
const pageA64 = 4096

// adrp puts the address of a place's page into a register. The immediate has 21 bits: the
// lower 2 at bit 29, the others at bit 5. Images lie at multiples of 64 KiB, so
// pages can be counted from the base.
func (a *assembler) adrp(register, place uint32) {
	pages := place/pageA64 - a.here()/pageA64
	a.word(0x90000000 | pages&3<<29 | pages>>2&(1<<19-1)<<5 | register)
}
