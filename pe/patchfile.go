package pe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// PatchFile changes the file at path and writes the result to out, or to path itself if
// out is "". What change returns is what is written.
//
// The result is written to a new file beside out, which gets the permission bits of path and
// is synced and then renamed: at every moment out is the old file or the new one, whole.
// A run that is interrupted leaves the new file behind, with a name that begins with a
// dot and ends in .tmp. If out is a symbolic link, what it points to is replaced. A file
// that runs as a program cannot be replaced on Windows.
//
// Processes share a section if they load the same file: those that run meanwhile go on with
// the old one, and share nothing with those that load the new one.
func PatchFile(path, out string, change func(*File) (*Patch, error)) error {
	if out == "" {
		out = path
	}
	if err := patchFile(path, out, change); err != nil {
		return fmt.Errorf("patch %s: %w", path, err)
	}
	return nil
}

func patchFile(path, out string, change func(*File) (*Patch, error)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	f, err := open(file)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	p, err := change(f)
	if err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(out); err == nil {
		out = target
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// A link that leads nowhere is still one here.
	if old, err := os.Lstat(out); err == nil && !old.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file, and would be replaced by one", out)
	}
	temp, err := writeBeside(p, out, info.Mode().Perm())
	if err != nil {
		return err
	}
	// Windows does not rename over a file that is open.
	err = file.Close()
	if err == nil {
		err = os.Rename(temp, out)
	}
	if err != nil {
		_ = os.Remove(temp)
		return err
	}
	return syncDirectory(filepath.Dir(out))
}

// writeBeside writes a new file in the directory of out and returns its path.
func writeBeside(p *Patch, out string, mode os.FileMode) (path string, err error) {
	temp, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*.tmp")
	if err != nil {
		return "", err
	}
	defer func() {
		if closed := temp.Close(); err == nil {
			err = closed
		}
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err := p.WriteTo(temp); err != nil {
		return "", err
	}
	if err := temp.Chmod(mode); err != nil {
		return "", err
	}
	return temp.Name(), temp.Sync()
}

// syncDirectory makes a rename last. Windows has no such call.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	return errors.Join(err, dir.Close())
}
