package region

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/winapi"
)

// A region is a section object without a name, of memory and not of a file. Its size is
// fixed, and its pages are the system's promise from the beginning (SEC_COMMIT), whatever Fill says:
// what is only reserved cannot be touched.
func create(_ string, size int64, _ Fill) (*os.File, error) {
	h, err := windows.CreateFileMapping(windows.InvalidHandle, nil, windows.PAGE_READWRITE|winapi.SEC_COMMIT,
		uint32(size>>32), uint32(size), nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateFileMapping", err)
	}
	return os.NewFile(uintptr(h), "region"), nil
}

// Access is what a handle of a region must allow.
const Access = winapi.SECTION_QUERY | winapi.SECTION_MAP_READ | winapi.SECTION_MAP_WRITE

// verify accepts a section of that size, whose memory nobody can take away. A section of a file is
// refused: its file can be on a disk that is pulled out, and a touch is a fault then. So are
// one that is only reserved, and the image of a program.
func verify(file *os.File, size int64) error {
	var info winapi.SectionBasicInformation
	err := winapi.NtQuerySection(windows.Handle(file.Fd()), 0, &info, sectionInfoSize, nil)
	if errors.Is(err, windows.STATUS_OBJECT_TYPE_MISMATCH) {
		return fmt.Errorf("%w: the handle lent is not one of memory: %w", partywall.ErrProtocol, err)
	}
	if err != nil {
		return os.NewSyscallError("NtQuerySection", err)
	}
	const others = winapi.SEC_FILE | winapi.SEC_IMAGE | winapi.SEC_RESERVE
	if checkKind && (info.AllocationAttributes&others != 0 || info.AllocationAttributes&winapi.SEC_COMMIT == 0) {
		return fmt.Errorf("%w: the memory lent is a file's, or not there yet (attributes %#x)", partywall.ErrProtocol, info.AllocationAttributes)
	}
	if checkLength && info.MaximumSize != size {
		return fmt.Errorf("%w: the memory lent has %d bytes, %d were announced", partywall.ErrProtocol, info.MaximumSize, size)
	}
	return nil
}

func mapShared(file *os.File, size int) ([]byte, error) {
	return view(windows.Handle(file.Fd()), windows.FILE_MAP_READ|windows.FILE_MAP_WRITE, size)
}

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
	return view(mapping, access, size)
}
