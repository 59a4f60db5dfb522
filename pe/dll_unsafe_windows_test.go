package pe

import (
	"syscall"
	"testing"
	"unsafe"
)

// bytesAt is memory of this process that the collector does not know.
func bytesAt(at uintptr, n int) []byte { return unsafe.Slice((*byte)(pointer(at)), n) }

func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }

// fill has a function write to b, whose address and length it takes.
func fill(function uintptr, b []byte) uintptr {
	r, _, _ := syscall.SyscallN(function, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return r
}

// imagehlpChecksum is the checksum in a file's header, and the one that the system computes.
func imagehlpChecksum(t *testing.T, path string) (header, computed uint32) {
	t.Helper()
	p, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	mapFileAndCheckSum := syscall.NewLazyDLL("imagehlp.dll").NewProc("MapFileAndCheckSumW")
	r, _, _ := mapFileAndCheckSum.Call(uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&computed)))
	if r != 0 {
		t.Fatalf("MapFileAndCheckSum: %d", r)
	}
	return header, computed
}
