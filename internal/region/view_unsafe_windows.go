package region

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

const sectionInfoSize = unsafe.Sizeof(winapi.SectionBasicInformation{})

// view maps the first bytes of a section.
func view(section windows.Handle, access uint32, size int) ([]byte, error) {
	address, err := windows.MapViewOfFile(section, access, 0, 0, uintptr(size))
	if err != nil {
		return nil, os.NewSyscallError("MapViewOfFile", err)
	}
	// The address is no pointer of Go's, and nothing that the collector moves.
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&address))), size), nil
}

func unmap(mem []byte) error {
	return os.NewSyscallError("UnmapViewOfFile", windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(mem)))))
}
