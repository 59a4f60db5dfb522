package procmem

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

func (t *target) regions() ([]Region, error) {
	what := fmt.Sprintf("regions of process %d", t.pid)
	h := t.handle
	if !t.myself {
		// While t.handle is open, the id is this process's.
		var err error
		h, err = windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, uint32(t.pid))
		if err != nil {
			return nil, t.fail(err, what)
		}
		defer windows.CloseHandle(h)
	}
	regions, err := walk(h)
	if err == nil && t.ended() {
		err = windows.ERROR_ACCESS_DENIED
	}
	if err != nil {
		return nil, t.fail(err, what)
	}
	return regions, nil
}

func walk(h windows.Handle) (regions []Region, err error) {
	name := make([]uint16, 1<<15)
	var path string // of the allocation at base
	var base uintptr
	for at := uintptr(0); ; {
		var info winapi.MemoryBasicInformation
		_, err := winapi.VirtualQueryEx(h, at, &info, unsafe.Sizeof(info))
		if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
			return regions, nil // after the last address
		}
		if err != nil {
			return nil, err
		}
		if info.State != winapi.MEM_FREE {
			if info.AllocationBase != base {
				base, path = info.AllocationBase, ""
				if info.Type == winapi.MEM_IMAGE || info.Type == winapi.MEM_MAPPED {
					path = mappedFile(h, base, name)
				}
			}
			regions = append(regions, region(&info, path))
		}
		next := info.BaseAddress + info.RegionSize
		if next <= at {
			return regions, nil
		}
		at = next
	}
}

func region(info *winapi.MemoryBasicInformation, path string) Region {
	const (
		private = windows.PAGE_WRITECOPY | windows.PAGE_EXECUTE_WRITECOPY
		write   = windows.PAGE_READWRITE | windows.PAGE_EXECUTE_READWRITE | private
		read    = windows.PAGE_READONLY | windows.PAGE_EXECUTE_READ | write
		execute = windows.PAGE_EXECUTE | windows.PAGE_EXECUTE_READ | windows.PAGE_EXECUTE_READWRITE | windows.PAGE_EXECUTE_WRITECOPY
	)
	protect := info.Protect
	r := Region{
		Address:   uint64(info.BaseAddress),
		Size:      uint64(info.RegionSize),
		Committed: info.State == windows.MEM_COMMIT,
		Shared:    info.Type == winapi.MEM_MAPPED && protect&private == 0,
		Path:      path,
	}
	// The first touch of a guard page fails. What is reserved has no protection.
	if r.Committed && protect&windows.PAGE_GUARD == 0 {
		r.Read, r.Write, r.Execute = protect&read != 0, protect&write != 0, protect&execute != 0
	}
	return r
}

// mappedFile returns the path of the file that is mapped at an address, or nothing.
// It uses name as room for it.
func mappedFile(h windows.Handle, at uintptr, name []uint16) string {
	n, err := winapi.GetMappedFileName(h, at, &name[0], uint32(len(name)))
	if err != nil {
		return ""
	}
	return windows.UTF16ToString(name[:n])
}
