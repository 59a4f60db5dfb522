package fixed

import "unsafe"

// Bytes returns the bytes of the private value *v, padding included, for
// [Type.Publish] to read and [Type.Receive] to write. They are *v itself, not a
// copy.
//
//   - T must have a fixed layout, that is, [Of] must have accepted it: writing
//     into the bytes of a pointer would corrupt this process's memory.
//   - *v must not lie in shared memory.
//   - v must not be nil, unless T has no bytes.
func Bytes[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}
