package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// lockAt is the byte of a lock file that its holder has locked: far behind what is written there, since
// Windows lets nobody read what another has locked.
const lockAt = 1 << 40

// errLocked: another process has the lock.
var errLocked = errors.New("another process has it locked")

// lock opens a file and locks it, for as long as it is open.
func (d *Dir) lock(file string) (*os.File, error) {
	f, err := d.Open(file, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	at := &windows.Overlapped{Offset: uint32(lockAt & (1<<32 - 1)), OffsetHigh: uint32(lockAt >> 32)}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return nil, errLocked
	}
	return nil, os.NewSyscallError("LockFileEx", err)
}

// maxNote bounds what is read of a file that others have written.
const maxNote = 512

// note reads a short file.
func (d *Dir) note(file string) (string, error) {
	f, err := d.Open(file, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, maxNote)
	n, err := f.ReadAt(b, 0)
	if n == 0 && err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// sign writes into the lock file which pipe leads to the server, and the name. The first line has always the same
// length: whoever reads in between has another pipe's name, or none that can be.
func sign(f *os.File, pipe, name string) error {
	text := pipe + "\n" + name + "\n"
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

// signature returns what a lock file of a stem says, if it is one that belongs there.
func (d *Dir) signature(stem string) (pipe, name string, err error) {
	note, err := d.note(stem + ".lock")
	if err != nil {
		return "", "", err
	}
	pipe, name, _ = strings.Cut(note, "\n")
	name, ok := strings.CutSuffix(name, "\n")
	if !ok || !isPipeName(pipe) || partywall.CheckName(name) != nil || fileStem(name) != stem {
		return "", "", fmt.Errorf("%s.lock is not signed", stem)
	}
	return pipe, name, nil
}
