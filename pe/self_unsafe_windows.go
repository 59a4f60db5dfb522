package pe

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

func program() (uintptr, error) {
	const unchangedRefcount = 2 // GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT: the program stays anyway
	var module windows.Handle
	err := windows.GetModuleHandleEx(unchangedRefcount, nil, &module)
	return uintptr(module), err
}

func loadLibrary(path string) (uintptr, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	if filepath.Ext(path) == "" {
		path += "." // or LoadLibraryEx appends .dll
	}
	// Neither the working directory nor PATH says which other libraries are loaded.
	const where = windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | windows.LOAD_LIBRARY_SEARCH_DEFAULT_DIRS
	module, err := windows.LoadLibraryEx(path, 0, where)
	if err != nil {
		return 0, explainLoad(path, err)
	}
	return uintptr(module), nil
}

// explainLoad says which machine a library is for that this process cannot load.
func explainLoad(path string, err error) error {
	if !errors.Is(err, windows.ERROR_BAD_EXE_FORMAT) {
		return err
	}
	f, bad := Open(path)
	if bad != nil {
		return fmt.Errorf("%w: %w", err, bad)
	}
	defer f.Close()
	if m := f.Machine.String(); m != runtime.GOARCH {
		return fmt.Errorf("it is for %s and this program for %s: %w", m, runtime.GOARCH, err)
	}
	return err
}

func freeLibrary(module uintptr) error { return windows.FreeLibrary(windows.Handle(module)) }

// mappedBytes returns memory of this process that the collector does not know, all of
// which the process may read.
func mappedBytes(address uintptr, size int) ([]byte, error) {
	const (
		private  = windows.PAGE_WRITECOPY | windows.PAGE_EXECUTE_WRITECOPY // until it is written to; Wine says so of shared sections too
		readable = windows.PAGE_READONLY | windows.PAGE_READWRITE | windows.PAGE_EXECUTE_READ | windows.PAGE_EXECUTE_READWRITE | private
	)
	for at, end := address, address+uintptr(size); at < end; {
		var r windows.MemoryBasicInformation
		if err := windows.VirtualQuery(at, &r, unsafe.Sizeof(r)); err != nil {
			return nil, fmt.Errorf("memory at %#x: %w", at, err)
		}
		if r.State != windows.MEM_COMMIT || r.Protect&readable == 0 || r.Protect&windows.PAGE_GUARD != 0 {
			return nil, fmt.Errorf("%w: memory at %#x cannot be read", ErrUnmapped, at)
		}
		at = r.BaseAddress + r.RegionSize
	}
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&address))), size), nil
}
