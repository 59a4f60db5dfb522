package pe

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

func loaded(module uintptr) (*File, error) {
	size, err := mappedSize(module)
	if err != nil {
		return nil, fmt.Errorf("module at %#x: %w", module, err)
	}
	f, err := parse(ownMemory(module), size, true)
	if err != nil {
		return nil, fmt.Errorf("module at %#x: %w", module, err)
	}
	return f, nil
}

// mappedSize returns how many bytes are mapped from a module's address on, that belong to
// it: regions with the same AllocationBase.
func mappedSize(module uintptr) (int64, error) {
	end := module
	for {
		r, err := query(end)
		if err != nil && end == module {
			return 0, err
		}
		next := r.BaseAddress + r.RegionSize
		// Behind the last address that a process has, there is nothing to query.
		if err != nil || r.State == memFree || r.AllocationBase != module || next <= end {
			break
		}
		end = next
	}
	if end == module {
		return 0, fmt.Errorf("%w: no module begins there", ErrUnmapped)
	}
	return int64(end - module), nil
}

const memFree = 0x10000 // MEM_FREE

func query(address uintptr) (r windows.MemoryBasicInformation, err error) {
	if err = windows.VirtualQuery(address, &r, unsafe.Sizeof(r)); err != nil {
		return r, fmt.Errorf("%w: %#x: %w", ErrUnmapped, address, err)
	}
	return r, nil
}

// ownMemory reads the memory of this process from an address on, without a fault where there
// is none.
type ownMemory uintptr

func (m ownMemory) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		got, err := readRegion(b[n:], uintptr(m)+uintptr(off)+uintptr(n))
		if n += got; err != nil {
			return n, err
		}
	}
	return n, nil
}

// readRegion reads up to the end of a region. ReadProcessMemory does not touch memory that
// another thread frees meanwhile; but Wine's reads what is not readable, and may read nothing
// of a piece whose end is not there.
func readRegion(b []byte, address uintptr) (int, error) {
	r, err := query(address)
	if err != nil {
		return 0, err
	}
	if r.State != windows.MEM_COMMIT || r.Protect&(windows.PAGE_NOACCESS|windows.PAGE_GUARD) != 0 {
		return 0, fmt.Errorf("%w: %#x", ErrUnmapped, address)
	}
	b = b[:min(uintptr(len(b)), r.BaseAddress+r.RegionSize-address)]
	var n uintptr
	err = windows.ReadProcessMemory(windows.CurrentProcess(), address, &b[0], uintptr(len(b)), &n)
	if err == nil && n < uintptr(len(b)) {
		err = windows.ERROR_PARTIAL_COPY
	}
	switch {
	case err == nil:
		return int(n), nil
	case errors.Is(err, windows.ERROR_PARTIAL_COPY), errors.Is(err, windows.ERROR_NOACCESS):
		return int(n), fmt.Errorf("%w: %d bytes at %#x: %w", ErrUnmapped, len(b), address, err)
	}
	return int(n), fmt.Errorf("%d bytes at %#x: %w", len(b), address, err)
}
