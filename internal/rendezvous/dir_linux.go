package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// A Dir is the run directory, held open, so that what was verified is what is used.
type Dir struct {
	path string
	fd   int
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

// openDir opens a run directory, the user's if path is empty, and verifies that it
// is a real directory of this user with mode 0700, and not a link. With create it is
// made if missing; its parent must exist.
func openDir(path string, create bool) (*Dir, error) {
	if path == "" {
		path = DirPath()
	}
	if create {
		if err := unix.Mkdir(path, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, dirError(path, "make", err)
		}
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, dirError(path, "open", err)
	}
	d := &Dir{path: path, fd: fd}
	if err := d.verify(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
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

// Close lets go of the directory.
func (d *Dir) Close() error {
	if d.fd < 0 {
		return nil
	}
	fd := d.fd
	d.fd = -1
	return unix.Close(fd)
}
