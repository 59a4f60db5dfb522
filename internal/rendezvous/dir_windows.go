package rendezvous

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// A Dir is the run directory, held open: neither it nor one above it can be renamed or
// removed meanwhile, so what was verified is what is used.
type Dir struct {
	path   string // as it was given
	final  string // through no links
	handle windows.Handle
	group  *windows.SID // who may use it beside its owner, or nil
}

// OpenDir opens a run directory, the user's if path is empty, and verifies that it
// is a real directory of this user that nobody else may use, but for the system and its administrators, and
// not a link. With create it is made if missing, for this user alone; its parent must exist. The
// error wraps [partywall.ErrNotFound] if there is none, and [partywall.ErrAccess] if it is not
// this user's alone.
func OpenDir(path string, create bool) (*Dir, error) {
	if path == "" {
		path = DirPath()
	}
	if path == "" {
		return nil, fmt.Errorf("%w: this user has no directory for an application's data; set PARTYWALL_DIR", partywall.ErrNotFound)
	}
	return openDirOf(path, nil, create)
}

// openDirOf opens a run directory, a group's if group is not nil.
func openDirOf(path string, group *windows.SID, create bool) (*Dir, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("run directory %q: %w", path, err)
	}
	if create {
		access, err := accessFor(PrivateDir, GroupDir, group)
		if err == nil {
			err = windows.CreateDirectory(name, access)
		}
		if err != nil && !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
			return nil, dirError(path, "make", err)
		}
	}
	d := &Dir{path: path, group: group}
	// Nobody is allowed to delete it, which a rename takes too.
	d.handle, err = windows.CreateFile(name, windows.FILE_LIST_DIRECTORY|windows.FILE_READ_ATTRIBUTES|windows.READ_CONTROL,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return nil, dirError(path, "open", err)
	}
	if err := d.verify(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// DirPath returns where the run directory is: $PARTYWALL_DIR, else partywall in
// %LOCALAPPDATA%, where applications keep what is the user's and this machine's. It is empty
// if the user has neither.
func DirPath() string {
	if d := os.Getenv("PARTYWALL_DIR"); d != "" {
		return filepath.Clean(d)
	}
	d := os.Getenv("LOCALAPPDATA")
	if d == "" {
		d, _ = windows.KnownFolderPath(windows.FOLDERID_LocalAppData, 0)
	}
	if d == "" {
		return ""
	}
	return filepath.Join(d, "partywall")
}

func dirError(path, verb string, err error) error {
	what := fmt.Sprintf("%s run directory %s", verb, path)
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("%w: %s: %w", partywall.ErrAccess, what, err)
	case errors.Is(err, windows.ERROR_PATH_NOT_FOUND) && verb == "make":
		return fmt.Errorf("%s: the directory above it is missing; make that or set PARTYWALL_DIR: %w", what, err)
	case errors.Is(err, os.ErrNotExist) && verb == "open":
		return fmt.Errorf("%w: nothing is served, there is no run directory %s", partywall.ErrNotFound, path)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// verify finds the directory's final path, and whether it is this user's alone.
func (d *Dir) verify() error {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(d.handle, &info); err != nil {
		return dirError(d.path, "ask for", err)
	}
	if info.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0 || info.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY == 0 {
		return fmt.Errorf("%w: run directory %s: it is a link or not a directory; remove it or set PARTYWALL_DIR", partywall.ErrAccess, d.path)
	}
	err := d.owned(d.handle)
	if err == nil {
		err = alone(d.handle, d.group)
	}
	if err != nil {
		return fmt.Errorf("%w: run directory %s: %w; remove it or set PARTYWALL_DIR", partywall.ErrAccess, d.path, err)
	}
	path := make([]uint16, 1<<15)
	n, err := windows.GetFinalPathNameByHandle(d.handle, &path[0], uint32(len(path)), 0)
	if err != nil {
		return dirError(d.path, "ask for the path of", err)
	}
	d.final = windows.UTF16ToString(path[:n])
	return nil
}

// at returns the path of a file in the directory.
func (d *Dir) at(file string) string { return d.final + `\` + file }

// Path returns where the directory was found.
func (d *Dir) Path() string { return d.path }

// Files returns the names of what is in the directory, in no order.
func (d *Dir) Files() ([]string, error) {
	entries, err := os.ReadDir(d.final)
	if err != nil {
		return nil, dirError(d.path, "read", err)
	}
	var files []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), gone) {
			files = append(files, e.Name())
		}
	}
	return files, nil
}

// gone is the ending of files that have been removed, and that somebody still has.
const gone = ".gone"

// Remove removes a file; that it is not there is no error. The name is free at once, whoever has the
// file. Windows does not delete a file that a process has mapped; such a one gets another name,
// and goes at one of the next calls.
func (d *Dir) Remove(file string) error {
	to := fmt.Sprintf("%s.%016x%s", file, rand.Uint64(), gone)
	err := patiently(func() error { return os.Rename(d.at(file), d.at(to)) })
	d.sweep()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// sweep deletes what can be deleted of that which was removed.
func (d *Dir) sweep() {
	entries, _ := os.ReadDir(d.final)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), gone) {
			continue
		}
		if path, err := windows.UTF16PtrFromString(d.at(e.Name())); err == nil {
			_ = windows.DeleteFile(path)
		}
	}
}

// Close lets go of the directory.
func (d *Dir) Close() error {
	if d.handle == 0 {
		return nil
	}
	handle := d.handle
	d.handle = 0
	return windows.CloseHandle(handle)
}
