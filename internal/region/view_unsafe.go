package region

import (
	"fmt"
	"unsafe"
)

// At returns a view of the T that lies at byte offset off of mem. T must be made
// of fixed-size numbers and typed atomics. It panics if T would not fit or not
// be aligned: offsets are this process's own, never a peer's.
func At[T any](mem []byte, off int) *T {
	var zero T
	size, align := int(unsafe.Sizeof(zero)), unsafe.Alignof(zero)
	if off < 0 || off > len(mem)-size || size == 0 {
		panic(fmt.Sprintf("region: %T at offset %d exceeds %d bytes", zero, off, len(mem)))
	}
	p := unsafe.Pointer(&mem[off])
	if uintptr(p)%align != 0 {
		panic(fmt.Sprintf("region: %T at offset %d is not aligned to %d", zero, off, align))
	}
	return (*T)(p)
}
