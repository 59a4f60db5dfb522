package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// A Dir is the run directory, held open, so that what was verified is what is used.
type Dir struct {
	path  string
	fd    int
	group int // who may use it beside its owner, or noGroup
}

const noGroup = -1

// OpenDir opens a run directory, the user's if path is empty, and verifies that it
// is a real directory of this user with mode 0700, and not a link. With create it is
// made if missing; its parent must exist. The error wraps [partywall.ErrNotFound] if
// there is none, and [partywall.ErrAccess] if it is not this user's alone.
func OpenDir(path string, create bool) (*Dir, error) { return openDir(path, create) }

// openGroup opens a directory that the members of a group share, as /dev/shm has
// them if path is empty: of that group, with mode 02770, so that what is made in it is the
// group's too. Who has made it is not asked: only a member can give a directory to the group.
func openGroup(path, group string, create bool) (*Dir, error) {
	gid, err := lookupGroup(group)
	if err != nil {
		return nil, err
	}
	if path == "" {
		path = "/dev/shm/partywall-group-" + strconv.Itoa(gid)
	}
	return openDirOf(path, gid, create)
}

// lookupGroup returns the number of a group, which may be given as a number.
func lookupGroup(name string) (int, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return strconv.Atoi(g.Gid)
	}
	if gid, err := strconv.Atoi(name); err == nil && gid >= 0 {
		return gid, nil
	}
	return 0, fmt.Errorf("%w: this system has no group %q", partywall.ErrNotFound, name)
}

// DirPath returns where the run directory is: $PARTYWALL_DIR, else
// $XDG_RUNTIME_DIR/partywall, else partywall-UID in the temporary directory.
func DirPath() string {
	if d := os.Getenv("PARTYWALL_DIR"); d != "" {
		return filepath.Clean(d)
	}
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "partywall")
	}
	return filepath.Join(os.TempDir(), "partywall-"+strconv.Itoa(os.Geteuid()))
}

func openDir(path string, create bool) (*Dir, error) {
	if path == "" {
		path = DirPath()
	}
	return openDirOf(path, noGroup, create)
}

func openDirOf(path string, group int, create bool) (*Dir, error) {
	if create {
		err := makeDir(path, group)
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, dirError(path, "make", err)
		}
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, dirError(path, "open", err)
	}
	d := &Dir{path: path, fd: fd, group: group}
	if err := d.verify(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// makeDir makes a run directory. One for a group gets its mode under another name, so
// that nobody meets it without.
func makeDir(path string, group int) error {
	if group == noGroup {
		return unix.Mkdir(path, 0o700)
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err == nil {
		return unix.EEXIST
	}
	fresh, err := os.MkdirTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = os.Chown(fresh, -1, group)
	if err == nil {
		err = unix.Chmod(fresh, unix.S_ISGID|0o770)
	}
	if err == nil {
		err = unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		os.Remove(fresh)
	}
	return err
}

func dirError(path, verb string, err error) error {
	what := fmt.Sprintf("%s run directory %s", verb, path)
	switch {
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return fmt.Errorf("%w: %s: it is a link or not a directory; remove it or set PARTYWALL_DIR: %w", partywall.ErrAccess, what, err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %s: %w", partywall.ErrAccess, what, err)
	case errors.Is(err, unix.ENOENT) && verb == "make":
		return fmt.Errorf("%s: the directory above it is missing; make that or set PARTYWALL_DIR: %w", what, err)
	case errors.Is(err, unix.ENOENT) && verb == "open":
		return fmt.Errorf("%w: nothing is served, there is no run directory %s", partywall.ErrNotFound, path)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (d *Dir) verify() error {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil {
		return dirError(d.path, "stat", err)
	}
	if d.group != noGroup {
		if mode := st.Mode & 0o7777; int(st.Gid) != d.group || mode != unix.S_ISGID|0o770 {
			return fmt.Errorf("%w: directory %s is of group %d with mode %04o, not of group %d with mode 2770; chmod or remove it", partywall.ErrAccess, d.path, st.Gid, mode, d.group)
		}
		return nil
	}
	if me := os.Geteuid(); int(st.Uid) != me {
		return fmt.Errorf("%w: run directory %s belongs to user %d, not to %d; remove it or set PARTYWALL_DIR", partywall.ErrAccess, d.path, st.Uid, me)
	}
	// The set-group-id bit is inherited from a parent that has it, and gives nobody access.
	if mode := st.Mode & 0o7777; mode&^unix.S_ISGID != 0o700 {
		return fmt.Errorf("%w: run directory %s has mode %04o, not 0700; chmod 0700 it or set PARTYWALL_DIR", partywall.ErrAccess, d.path, mode)
	}
	return nil
}

// at returns a path to a file in the directory that is short enough for a socket
// (unix(7) allows 107 bytes) and that does not follow what the directory's own
// path has become meanwhile.
func (d *Dir) at(file string) string { return "/proc/self/fd/" + strconv.Itoa(d.fd) + "/" + file }

// Path returns where the directory was found.
func (d *Dir) Path() string { return d.path }

// Files returns the names of what is in the directory, in no order.
func (d *Dir) Files() ([]string, error) {
	files, err := d.list()
	if err != nil {
		return nil, dirError(d.path, "read", err)
	}
	return files, nil
}

// Open opens a plain file of the directory that belongs to whom the directory belongs
// to: to this user alone, or to its group. What else somebody has put there is an error that wraps
// [partywall.ErrAccess], and neither followed nor waited for. A file that it makes has
// the right owner and mode from the beginning.
func (d *Dir) Open(file string, flags int) (*os.File, error) {
	f, made, err := d.openOrMake(file, flags)
	if err != nil {
		return nil, err
	}
	if err := d.verifyFile(f, made); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openOrMake is open, and says whether it has made the file.
func (d *Dir) openOrMake(file string, flags int) (f *os.File, made bool, err error) {
	if flags&unix.O_CREAT == 0 {
		f, err = d.open(file, flags)
		return f, false, err
	}
	for {
		f, err = d.open(file, flags|unix.O_EXCL)
		if flags&unix.O_EXCL != 0 || !errors.Is(err, os.ErrExist) {
			return f, err == nil, err
		}
		f, err = d.open(file, flags&^unix.O_CREAT)
		if !errors.Is(err, os.ErrNotExist) {
			return f, false, err
		}
	}
}

// verifyFile checks whose a file is. One that has another name besides is not accepted: somebody may
// have led to it who may not open it himself.
func (d *Dir) verifyFile(f *os.File, made bool) error {
	fd := int(f.Fd())
	if made && d.group != noGroup {
		if err := unix.Fchmod(fd, 0o660); err != nil { // the umask may have taken bits away
			return os.NewSyscallError("chmod "+f.Name(), err)
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("stat "+f.Name(), err)
	}
	switch me := os.Geteuid(); {
	case st.Nlink > 1:
		return fmt.Errorf("%w: %s/%s has another name, too; remove it", partywall.ErrAccess, d.path, f.Name())
	case d.group == noGroup && (int(st.Uid) != me || st.Mode&0o077 != 0):
		return fmt.Errorf("%w: %s/%s belongs to user %d with mode %04o, not to user %d alone; remove it",
			partywall.ErrAccess, d.path, f.Name(), st.Uid, st.Mode&0o7777, me)
	case d.group != noGroup && (int(st.Gid) != d.group || st.Mode&0o007 != 0):
		return fmt.Errorf("%w: %s/%s is of group %d with mode %04o, not of group %d; remove it",
			partywall.ErrAccess, d.path, f.Name(), st.Gid, st.Mode&0o7777, d.group)
	}
	return nil
}

// Same reports whether a file of that name is still the one that f has open.
func (d *Dir) Same(file string, f *os.File) bool {
	var there, here unix.Stat_t
	return unix.Fstatat(d.fd, file, &there, unix.AT_SYMLINK_NOFOLLOW) == nil && unix.Fstat(int(f.Fd()), &here) == nil &&
		there.Dev == here.Dev && there.Ino == here.Ino
}

// Remove removes a file; that it is not there is no error.
func (d *Dir) Remove(file string) error {
	if err := unix.Unlinkat(d.fd, file, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return os.NewSyscallError("unlink "+file, err)
	}
	return nil
}

// Close lets go of the directory.
func (d *Dir) Close() error {
	if d.fd < 0 {
		return nil
	}
	fd := d.fd
	d.fd = -1
	return unix.Close(fd)
}
