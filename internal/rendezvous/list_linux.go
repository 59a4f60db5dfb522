package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

func names(place Place) ([]string, error) {
	dir, err := place.Open(false)
	if errors.Is(err, partywall.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	defer dir.Close()
	files, err := dir.list()
	if err != nil {
		return nil, fmt.Errorf("list services: %w", dirError(dir.path, "read", err))
	}
	var served []string
	for _, file := range files {
		stem, ok := strings.CutSuffix(file, ".sock")
		if !ok {
			continue
		}
		name, ok := dir.signature(stem)
		if !ok {
			continue
		}
		alive, err := dir.alive(file)
		if err != nil {
			return nil, fmt.Errorf("list services: %w", err)
		}
		if alive {
			served = append(served, name)
		}
	}
	slices.Sort(served)
	return served, nil
}

// list returns what is in the directory.
func (d *Dir) list() ([]string, error) {
	fd, err := unix.Openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), d.path)
	defer f.Close()
	return f.Readdirnames(-1)
}

// signature returns the name that the lock file of a stem bears, if it is one that
// belongs there.
func (d *Dir) signature(stem string) (name string, ok bool) {
	note, err := d.note(stem + ".lock")
	if err != nil {
		return "", false
	}
	name, ok = strings.CutSuffix(note, "\n")
	return name, ok && partywall.CheckName(name) == nil && fileStem(name) == stem
}

// alive reports whether a process has the socket, without that process noticing:
// to connect with a socket of another type is refused with EPROTOTYPE (connect(2)), or
// with ECONNREFUSED if nobody has it. In doubt somebody has.
func (d *Dir) alive(file string) (bool, error) {
	var st unix.Stat_t
	err := unix.Fstatat(d.fd, file, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return false, nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	err = unix.Connect(fd, &unix.SockaddrUnix{Name: d.at(file)})
	return !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ENOENT), nil
}
