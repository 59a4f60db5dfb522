package call

import (
	"reflect"
	"unsafe"
)

// bytesOf returns the bytes of the fixed-layout value that v points to, as
// fixed.Bytes does for a type that is known.
func bytesOf(v reflect.Value, size int) []byte {
	return unsafe.Slice((*byte)(v.UnsafePointer()), size)
}
