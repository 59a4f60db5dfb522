package sections

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/partywall/partywall/pe"
)

// library is SectionDLL.dll in this process.
type library struct {
	image     *pe.Image
	dll       *syscall.DLL
	functions map[string]uintptr
}

// openLibrary loads SectionDLL.dll of a folder, whoever has made it, and looks for functions that
// are needed. If there is none, it is made.
func openLibrary(dir string, functions ...string) (_ *library, err error) {
	path := filepath.Join(dir, DLLName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeDLL(path); err != nil {
			return nil, fmt.Errorf("%s is not there and cannot be made: %w", path, err)
		}
	}
	l := &library{functions: map[string]uintptr{}}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.image, err = pe.LoadShared(path); err != nil {
		return nil, err
	}
	// A section that is not shared works, too, but each process sees its own.
	for _, c := range children {
		if _, err := l.image.Section(c.Section); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if l.dll, err = syscall.LoadDLL(path); err != nil {
		return nil, err
	}
	for _, name := range functions {
		if l.functions[name], err = syscall.GetProcAddress(l.dll.Handle, name); err != nil {
			return nil, fmt.Errorf("%s has no function %s: %w", path, name, err)
		}
	}
	return l, nil
}

// close unloads the library. Nobody may use it any more.
func (l *library) close() {
	if l.dll != nil {
		_ = l.dll.Release()
	}
	if l.image != nil {
		_ = l.image.Close()
	}
}

// get returns a child's value. In C: int getDataA(void).
func (l *library) get(c *Child) int32 {
	value, _, _ := syscall.SyscallN(l.functions[c.Getter])
	return int32(value)
}

// set sets it. In C: void setDataA(int).
func (l *library) set(c *Child) {
	_, _, _ = syscall.SyscallN(l.functions[c.Setter], uintptr(c.Value))
}

// makeDLL writes SectionDLL.dll. It takes its name when it is whole, so that no process loads a part of it;
// and it does not replace one that has come meanwhile and that others may have loaded already: they would
// share nothing with who loads the new one.
func makeDLL(path string) (err error) {
	machine, ok := map[string]pe.Machine{"amd64": pe.AMD64, "arm64": pe.ARM64, "386": pe.I386}[runtime.GOARCH]
	if !ok {
		return fmt.Errorf("for %s", runtime.GOARCH)
	}
	file, err := os.CreateTemp(filepath.Dir(path), DLLName+".*.new")
	if err != nil {
		return err
	}
	_, err = DLL(machine).WriteTo(file)
	if err = errors.Join(err, file.Close()); err == nil {
		if err = rename(file.Name(), path); err == nil {
			return nil
		}
	}
	_ = os.Remove(file.Name())
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// rename is os.Rename that replaces nothing.
func rename(from, to string) error {
	old, err := syscall.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := syscall.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return syscall.MoveFile(old, name)
}

// ownDir is the folder that this program lies in.
func ownDir() (string, error) {
	own, err := os.Executable()
	return filepath.Dir(own), err
}
