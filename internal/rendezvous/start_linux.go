package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// startVariable tells a server that was started under a start lock which
// descriptor that is.
const startVariable = "PARTYWALL_START_LOCK"

// A StartLock is held by whoever starts the server of a name. The server that is
// started shares it, so that it stays taken when the client that took it dies, until
// [Listen] in the server frees it, or the server ends too. One goroutine at a time
// may use it.
type StartLock struct {
	dir  *Dir
	stem string
	file *os.File
}

func tryStartLock(place Place, name string) (_ *StartLock, err error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, err
	}
	dir, err := place.Open(true)
	if err != nil {
		return nil, fmt.Errorf("lock the start of %q: %w", name, err)
	}
	l := &StartLock{dir: dir, stem: fileStem(name)}
	if l.file, err = dir.lock(l.stem + ".start"); err != nil {
		dir.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%q: %w", name, ErrStarting)
		}
		return nil, fmt.Errorf("lock the start of %q: %w", name, err)
	}
	_ = l.file.Truncate(0) // what the last holder has noted is over
	return l, nil
}

// Note leaves the process id of the server that comes up where [StartingPID] finds it.
func (l *StartLock) Note(pid int) { _, _ = l.file.WriteAt([]byte(strconv.Itoa(pid)+"\n"), 0) }

func startingPID(place Place, name string) int {
	dir, err := place.Open(false)
	if err != nil {
		return 0
	}
	defer dir.Close()
	note, err := dir.note(fileStem(name) + ".start")
	if err != nil {
		return 0
	}
	return parsePID(note)
}

// Equip has a command that was not started yet share the lock, and know the run
// directory. The command's own files and environment stay.
func (l *StartLock) Equip(cmd *exec.Cmd) error {
	dir, err := filepath.Abs(l.dir.path)
	if err != nil {
		return fmt.Errorf("run directory %s: %w", l.dir.path, err)
	}
	shieldInheritedStart()
	fd := 3 + len(cmd.ExtraFiles) // where os/exec puts the next
	cmd.ExtraFiles = append(slices.Clip(cmd.ExtraFiles), l.file)
	cmd.Env = append(cmd.Environ(), startVariable+"="+strconv.Itoa(fd), "PARTYWALL_DIR="+dir)
	return nil
}

// Log makes the file that a server without an output of its own writes to. It is a
// new file each time: a predecessor that is not quite dead has its own.
func (l *StartLock) Log() (*os.File, error) {
	file := l.stem + ".log"
	if err := unix.Unlinkat(l.dir.fd, file, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, os.NewSyscallError("unlink "+file, err)
	}
	return l.dir.open(file, unix.O_RDWR|unix.O_APPEND|unix.O_CREAT|unix.O_EXCL)
}

// LogPath returns where the file that Log makes is.
func (l *StartLock) LogPath() string { return filepath.Join(l.dir.path, l.stem+".log") }

// Unlock frees the lock, whoever shares it.
func (l *StartLock) Unlock() error { return errors.Join(unlock(l.file), l.Leave()) }

// Leave leaves the lock to the server that shares it. Without one, it is free.
func (l *StartLock) Leave() error { return errors.Join(l.file.Close(), l.dir.Close()) }

// inheritedStart returns the descriptor of the start lock of a stem, if whoever
// started this process has left it one. The environment's word for it is checked: the
// descriptor is that very file, and none that this process has opened.
func (d *Dir) inheritedStart(stem string) (fd int, ok bool) {
	if fd, ok = startDescriptor(); !ok {
		return 0, false
	}
	var mine, want unix.Stat_t
	if unix.Fstat(fd, &mine) != nil || unix.Fstatat(d.fd, stem+".start", &want, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return 0, false
	}
	return fd, mine.Mode&unix.S_IFMT == unix.S_IFREG && mine.Dev == want.Dev && mine.Ino == want.Ino
}

// endInheritedStart lets the next client start a server, as this one can be found.
func endInheritedStart(fd int) {
	_ = unix.Flock(fd, unix.LOCK_UN)
	_ = unix.Close(fd)
	_ = os.Unsetenv(startVariable) // for the processes that this one starts
	shielded.Store(0)
}

// shielded is the descriptor that shieldInheritedStart has shielded, or 0.
var shielded atomic.Int64

// shieldInheritedStart keeps a start lock that this process was started under, and
// has not ended yet, from a server that it starts itself: that one may live on when this
// one dies, and would keep the lock.
func shieldInheritedStart() {
	fd, ok := startDescriptor()
	if !ok {
		return
	}
	if target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil && strings.HasSuffix(target, ".start") {
		shielded.Store(int64(fd))
		unix.CloseOnExec(fd)
	}
}

// startDescriptor returns the descriptor that the environment says is an inherited
// start lock. One that this process has opened is not it, and closed on exec, as no
// inherited one can be.
func startDescriptor() (fd int, ok bool) {
	if fd, ok = parseDescriptor(os.Getenv(startVariable)); !ok {
		return 0, false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return fd, err == nil && (flags&unix.FD_CLOEXEC == 0 || shielded.Load() == int64(fd))
}

// parseDescriptor returns the descriptor that startVariable's text names, which
// is none of the standard three.
func parseDescriptor(text string) (fd int, ok bool) {
	fd, err := strconv.Atoi(text)
	return fd, err == nil && fd > 2
}

// parsePID returns the process id in a note.
func parsePID(note string) int {
	pid, err := strconv.Atoi(strings.TrimSuffix(note, "\n"))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
