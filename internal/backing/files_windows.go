package backing

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// A lock of a file's bytes belongs to the handle, LockFileEx says, and ends with it.
func lockBytes(f *os.File, flags uint32, from, bytes int64) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags|windows.LOCKFILE_FAIL_IMMEDIATELY, 0,
		uint32(bytes), uint32(bytes>>32), overlapped(from))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return false, nil
	}
	return false, os.NewSyscallError("LockFileEx", err)
}

func unlockBytes(f *os.File, from, bytes int64) {
	_ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, uint32(bytes), uint32(bytes>>32), overlapped(from))
}

func overlapped(at int64) *windows.Overlapped {
	return &windows.Overlapped{Offset: uint32(at), OffsetHigh: uint32(at >> 32)}
}

// tryLock locks a byte of a file for this handle, if nobody has it locked.
func tryLock(f *os.File, at int64) (bool, error) {
	return lockBytes(f, windows.LOCKFILE_EXCLUSIVE_LOCK, at, 1)
}

func unlock(f *os.File, at int64) { unlockBytes(f, at, 1) }

// locked reports whether somebody has locked one of the bytes. If the system
// does not say, it is: nobody is believed dead without the kernel's word.
//
// Windows has no question for that, so this one locks the bytes for a moment, for sharing: others who ask
// so meanwhile are not disturbed. Who claims a number meanwhile does not get it, and takes another. If
// a process is killed in that moment, the number is free when the system has closed its handles.
func locked(f *os.File, from, bytes int64) bool {
	if bytes == 0 {
		return false
	}
	ok, _ := lockBytes(f, 0, from, bytes)
	if ok {
		unlockBytes(f, from, bytes)
	}
	return !ok
}

// allocate makes a file at least that long, with zeros. Windows gives a file its room when it sets
// the end, but to files that it compresses or that may have holes; there the zeros are written.
func allocate(f *os.File, size int64) error {
	info, err := fileInformation(f)
	if err != nil {
		return err
	}
	if have := int64(info.FileSizeHigh)<<32 | int64(info.FileSizeLow); have >= size {
		return nil
	}
	if info.FileAttributes&(windows.FILE_ATTRIBUTE_COMPRESSED|windows.FILE_ATTRIBUTE_SPARSE_FILE) != 0 {
		return writeZeros(f, size)
	}
	return f.Truncate(size)
}

func fileInformation(f *os.File) (info windows.ByHandleFileInformation, err error) {
	err = windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info)
	return info, os.NewSyscallError("GetFileInformationByHandle", err)
}

// fileSleeper returns a sleeper for those who have a file open, whatever the path by which they have found it.
func fileSleeper(f *os.File) (*sleeper, error) {
	info, err := fileInformation(f)
	if err != nil {
		return nil, err
	}
	return newSleeper(fmt.Sprintf("file %08x-%08x%08x", info.VolumeSerialNumber, info.FileIndexHigh, info.FileIndexLow)), nil
}

// checkPlace refuses groups: the events by which watchers are woken are one user's.
func checkPlace(place Place) error {
	if place.Group != "" {
		return fmt.Errorf("%w: sections that a group of users shares, on Windows", partywall.ErrNotSupported)
	}
	return nil
}
