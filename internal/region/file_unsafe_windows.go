package region

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapFile maps a file. The view keeps the mapping object, whose handle is not needed
// any more.
func mapFile(file *os.File, size int, readOnly bool) ([]byte, error) {
	protect, access := uint32(windows.PAGE_READWRITE), uint32(windows.FILE_MAP_READ|windows.FILE_MAP_WRITE)
	if readOnly {
		protect, access = windows.PAGE_READONLY, windows.FILE_MAP_READ
	}
	mapping, err := windows.CreateFileMapping(windows.Handle(file.Fd()), nil, protect, 0, 0, nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateFileMapping", err)
	}
	defer windows.CloseHandle(mapping)
	address, err := windows.MapViewOfFile(mapping, access, 0, 0, uintptr(size))
	if err != nil {
		return nil, os.NewSyscallError("MapViewOfFile", err)
	}
	// The address is no pointer of Go's, and nothing that the collector moves.
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&address))), size), nil
}

func unmap(mem []byte) error {
	return os.NewSyscallError("UnmapViewOfFile", windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(mem)))))
}
