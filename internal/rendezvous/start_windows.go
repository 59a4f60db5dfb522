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
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/winapi"
)

// startVariable tells a server that was started under a start lock which handle that is.
const startVariable = "PARTYWALL_START_LOCK"

// A StartLock is held by whoever starts the server of a name: he has a file open that
// he shares with nobody. The server that is started inherits the handle, so that the lock stays taken when
// the client that took it dies, until [Listen] in the server closes it, or the server ends too.
// One goroutine at a time may use it.
type StartLock struct {
	dir  *Dir
	stem string
	file windows.Handle
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
	if l.file, err = dir.openAlone(l.stem + ".start"); err != nil {
		defer dir.Close()
		if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			dir.freeOrphan(l.stem)
			return nil, fmt.Errorf("%q: %w", name, ErrStarting)
		}
		return nil, fmt.Errorf("lock the start of %q: %w", name, err)
	}
	// What the last holder has noted is over. Without a note of its own the start goes on: only whoever dies
	// at the wrong moment needs it.
	if me, err := thisStarter(l.file); err == nil {
		_ = l.note(me.String())
	}
	return l, nil
}

// openAlone opens a file that nobody else can open meanwhile.
func (d *Dir) openAlone(file string) (windows.Handle, error) {
	path, err := windows.UTF16PtrFromString(d.at(file))
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_ALWAYS,
		windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return 0, fmt.Errorf("%w: %w", d.strange(file), err)
	}
	if err == nil {
		if err = d.verifyFile(h, file); err != nil {
			_ = windows.CloseHandle(h)
		}
	}
	return h, err
}

// Note leaves the process id of the server that comes up where [StartingPID] finds it: beside the lock, which
// nobody else can read.
func (l *StartLock) Note(pid int) { _ = l.note(strconv.Itoa(pid) + "\n") }

func (l *StartLock) note(text string) error {
	f, err := l.dir.Open(startingFile(l.stem), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	defer f.Close()
	return writeStarting(f, text)
}

func startingFile(stem string) string { return stem + ".starting" }

func writeStarting(f *os.File, text string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func startingPID(place Place, name string) int {
	dir, err := place.Open(false)
	if err != nil {
		return 0
	}
	defer dir.Close()
	note, err := dir.note(startingFile(fileStem(name)))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSuffix(note, "\n"))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// Equip has a command that was not started yet share the lock, and know the run
// directory. The command's own attributes and environment stay.
func (l *StartLock) Equip(cmd *exec.Cmd) error {
	dir, err := filepath.Abs(l.dir.path)
	if err != nil {
		return fmt.Errorf("run directory %s: %w", l.dir.path, err)
	}
	if err := windows.SetHandleInformation(l.file, windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT); err != nil {
		return os.NewSyscallError("SetHandleInformation", err)
	}
	var attr syscall.SysProcAttr
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	attr.AdditionalInheritedHandles = append(slices.Clip(attr.AdditionalInheritedHandles), syscall.Handle(l.file))
	cmd.SysProcAttr = &attr
	cmd.Env = append(cmd.Environ(), startVariable+"="+strconv.Itoa(int(l.file)), "PARTYWALL_DIR="+dir)
	return nil
}

// Log makes the file that a server without an output of its own writes to. It is a
// new file each time: a predecessor that is not quite dead has its own.
func (l *StartLock) Log() (*os.File, error) {
	file := l.stem + ".log"
	if err := l.dir.Remove(file); err != nil {
		return nil, err
	}
	return l.dir.Open(file, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// LogPath returns where the file that Log makes is.
func (l *StartLock) LogPath() string { return filepath.Join(l.dir.path, l.stem+".log") }

// Unlock lets go of the lock. A server that shares it keeps it until it listens, or ends.
func (l *StartLock) Unlock() error { return l.Leave() }

// Leave leaves the lock to the server that shares it. Without one, it is free.
func (l *StartLock) Leave() error { return errors.Join(windows.CloseHandle(l.file), l.dir.Close()) }

// inheritedStart returns the handle of the start lock of a stem, if whoever
// started this process has left it one. The environment's word for it is checked: the
// handle is that very file's, and was inherited.
func (d *Dir) inheritedStart(stem string) (h windows.Handle, ok bool) {
	n, err := strconv.ParseUint(os.Getenv(startVariable), 10, 31)
	if err != nil || n == 0 || n%4 != 0 {
		return 0, false
	}
	h = windows.Handle(n)
	var flags uint32
	if winapi.GetHandleInformation(h, &flags) != nil || flags&windows.HANDLE_FLAG_INHERIT == 0 {
		return 0, false
	}
	return h, d.sameHandle(stem+".start", h)
}

// endInheritedStart lets the next client start a server, as this one can be found.
func endInheritedStart(h windows.Handle) {
	_ = windows.CloseHandle(h)
	_ = os.Unsetenv(startVariable) // for the processes that this one starts
}
