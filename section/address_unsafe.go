package section

import "unsafe"

// aligned reports whether memory begins where a cell may.
func aligned(mem []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(mem)))%cellAlign == 0
}
