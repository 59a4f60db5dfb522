package pe

import (
	"errors"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"
)

// modules are some modules of this process: the program and libraries.
func modules(t *testing.T) (handles []windows.Handle, paths []string) {
	for _, name := range []string{"", "kernel32.dll", "ntdll.dll", "ws2_32.dll"} {
		var p *uint16
		if name != "" {
			library := windows.NewLazySystemDLL(name)
			if err := library.Load(); err != nil {
				t.Fatal(err)
			}
			p, _ = windows.UTF16PtrFromString(name)
		}
		var h windows.Handle
		if err := windows.GetModuleHandleEx(windows.GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, p, &h); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		path := make([]uint16, 1024)
		n, err := windows.GetModuleFileName(h, &path[0], uint32(len(path)))
		if err != nil {
			t.Fatal(err)
		}
		handles, paths = append(handles, h), append(paths, windows.UTF16ToString(path[:n]))
	}
	return handles, paths
}

// TestLoaded compares modules in memory with their files.
func TestLoaded(t *testing.T) {
	handles, paths := modules(t)
	for i, path := range paths {
		t.Run(path, func(t *testing.T) {
			got, err := Loaded(uintptr(handles[i]))
			if err != nil {
				t.Fatal(err)
			}
			want, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer want.Close()
			if !got.Mapped || got.Machine != want.Machine || got.Optional.SizeOfImage != want.Optional.SizeOfImage || len(got.Sections) != len(want.Sections) {
				t.Errorf("%+v, not %+v", got.Optional, want.Optional)
			}
			if got.Size != int64(want.Optional.SizeOfImage) {
				t.Errorf("%d bytes, not %d", got.Size, want.Optional.SizeOfImage)
			}
			if w := got.Warnings(); w != nil {
				t.Errorf("warnings: %q", w)
			}
			wantExports, err := want.Exports()
			if err != nil {
				t.Fatal(err)
			}
			gotExports, err := got.Exports()
			if diff := cmp.Diff(wantExports, gotExports); diff != "" || err != nil {
				t.Errorf("exports: %v %s", err, diff)
			}
			imports, err := got.Imports()
			if err != nil {
				t.Error(err)
			}
			n := 0
			for _, err := range got.Relocations() {
				if n++; err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d exports, %d libraries imported, %d relocations", len(gotExports.Symbols), len(imports), n)
			compareMemory(t, got, want)
		})
	}
}

// compareMemory compares the sections that nobody writes to, where nothing is relocated.
func compareMemory(t *testing.T, got, want *File) {
	for i := range got.Sections {
		s := &got.Sections[i]
		if s.Name != ".rsrc" && s.Name != ".edata" && s.Name != ".pdata" {
			continue
		}
		a, b := make([]byte, s.VirtualSize), make([]byte, s.VirtualSize)
		if _, err := got.ReadRVA(a, s.VirtualAddress); err != nil {
			t.Error(err)
		}
		if _, err := want.ReadRVA(b, s.VirtualAddress); err != nil {
			t.Error(err)
		}
		if !slices.Equal(a, b) {
			t.Errorf("section %s differs", s.Name)
		}
		if _, err := got.Data(s).ReadAt(b, 0); err != nil || !slices.Equal(a, b) {
			t.Errorf("section %s has other data: %v", s.Name, err)
		}
	}
	if _, err := got.ReadRVA(make([]byte, 1), got.Optional.SizeOfImage); !errors.Is(err, ErrUnmapped) {
		t.Errorf("behind the image: %v", err)
	}
	if off, size := got.Overlay(); off != got.Size || size != 0 {
		t.Errorf("overlay: %d %d", off, size)
	}
}

func TestLoadedErrors(t *testing.T) {
	handles, _ := modules(t)
	heap := make([]byte, 1<<16)
	for _, address := range []uintptr{0, 8, 0x10000 - 1, ^uintptr(0), uintptr(handles[0]) + 0x1000, uintptr(unsafe.Pointer(&heap[0]))} {
		if f, err := Loaded(address); err == nil {
			t.Errorf("%#x: %v", address, f)
		}
	}
	// Memory that is no module, and that ends with pages that nobody may read.
	p, err := windows.VirtualAlloc(0, 4*pageSize, windows.MEM_RESERVE, windows.PAGE_NOACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := windows.VirtualFree(p, 0, windows.MEM_RELEASE); err != nil {
			t.Error(err)
		}
	}()
	if _, err := Loaded(p); !errors.Is(err, ErrUnmapped) {
		t.Error(err)
	}
	if _, err := windows.VirtualAlloc(p, pageSize, windows.MEM_COMMIT, windows.PAGE_READWRITE); err != nil {
		t.Fatal(err)
	}
	if _, err := Loaded(p); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	b := make([]byte, 2*pageSize)
	if n, err := ownMemory(p).ReadAt(b, 100); n != pageSize-100 || !errors.Is(err, ErrUnmapped) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestChecksumOfImagehlp compares checksums with those of Windows' own function.
func TestChecksumOfImagehlp(t *testing.T) {
	function := windows.NewLazySystemDLL("imagehlp.dll").NewProc("MapFileAndCheckSumW")
	if err := function.Find(); err != nil {
		t.Skip(err)
	}
	_, paths := modules(t)
	for _, path := range append(paths, `testdata\plain.dll`) {
		name, err := windows.UTF16PtrFromString(path)
		if err != nil {
			t.Fatal(err)
		}
		var stored, want uint32
		if r, _, _ := function.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&stored)), uintptr(unsafe.Pointer(&want))); r != 0 {
			t.Errorf("%s: error %d", path, r)
			continue
		}
		f := mustOpen(t, path)
		if got, err := f.ComputeChecksum(); got != want || f.Optional.CheckSum != stored || err != nil {
			t.Errorf("%s: %#x %#x, not %#x %#x; %v", path, f.Optional.CheckSum, got, stored, want, err)
		}
	}
}
