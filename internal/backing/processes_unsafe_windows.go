package backing

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
)

// listed returns the identity of a process that this one may not open, from the system's list of
// all processes: 0 if there is none.
func listed(pid uint32) (identity uint64, err error) {
	size := uint32(1 << 18)
	for {
		list := make([]uint64, size/8) // the structs begin at multiples of 8
		err := windows.NtQuerySystemInformation(windows.SystemProcessInformation, unsafe.Pointer(&list[0]), size, &size)
		if errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) {
			size = max(size, uint32(len(list)*8)) * 2 &^ 7 // there may be more of them by the next time
			continue
		}
		if err != nil {
			return 0, err
		}
		for at := uintptr(0); ; {
			p := (*windows.SYSTEM_PROCESS_INFORMATION)(unsafe.Add(unsafe.Pointer(&list[0]), at))
			if p.UniqueProcessID == uintptr(pid) {
				return uint64(pid)<<32 | uint64(uint32(p.CreateTime)), nil
			}
			if p.NextEntryOffset == 0 {
				return 0, nil
			}
			at += uintptr(p.NextEntryOffset)
		}
	}
}
