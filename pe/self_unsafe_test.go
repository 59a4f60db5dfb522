package pe

import "unsafe"

// wordBytes are the bytes of words, which are aligned.
func wordBytes(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
}
