package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// Open opens a plain file of the directory that belongs to this user. What else somebody has put
// there is an error that wraps [partywall.ErrAccess], and not followed. Whoever has the file open
// keeps nobody from opening, renaming or deleting it. A file that it makes is a temporary one: the system
// does not hurry to write it to the disk.
func (d *Dir) Open(file string, flags int) (*os.File, error) {
	access := uint32(windows.GENERIC_READ)
	if flags&os.O_RDWR != 0 {
		access |= windows.GENERIC_WRITE
	}
	how := uint32(windows.OPEN_EXISTING)
	switch {
	case flags&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		how = windows.CREATE_NEW
	case flags&os.O_CREATE != 0:
		how = windows.OPEN_ALWAYS
	}
	path, err := windows.UTF16PtrFromString(d.at(file))
	if err != nil {
		return nil, err
	}
	var handle windows.Handle
	err = patiently(func() error {
		handle, err = windows.CreateFile(path, access, shareAll, nil, how,
			windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
		return err
	})
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return nil, fmt.Errorf("%w: %w", d.strange(file), err)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	if err := d.verifyFile(handle, file); err != nil {
		windows.CloseHandle(handle)
		return nil, err
	}
	return os.NewFile(uintptr(handle), file), nil
}

// patiently tries again for half a second if somebody keeps others from a file: not we, but a program that
// looks through all files for viruses, or for words, may do so for a moment.
func patiently(try func() error) (err error) {
	for pause := time.Millisecond; pause < 500*time.Millisecond; pause *= 2 {
		if err = try(); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

// shareAll keeps nobody from what he wants to do with a file.
const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// Same reports whether a file of that name is still the one that f has open.
func (d *Dir) Same(file string, f *os.File) bool { return d.sameHandle(file, windows.Handle(f.Fd())) }

func (d *Dir) sameHandle(file string, h windows.Handle) bool {
	path, err := windows.UTF16PtrFromString(d.at(file))
	if err != nil {
		return false
	}
	// os.Lstat shares with nobody, which Wine does not allow of a file that is mapped.
	handle, err := windows.CreateFile(path, 0, shareAll, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(handle)
	var there, here windows.ByHandleFileInformation
	return windows.GetFileInformationByHandle(handle, &there) == nil &&
		windows.GetFileInformationByHandle(h, &here) == nil &&
		there.VolumeSerialNumber == here.VolumeSerialNumber &&
		there.FileIndexHigh == here.FileIndexHigh && there.FileIndexLow == here.FileIndexLow
}

func (d *Dir) verifyFile(handle windows.Handle, file string) error {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(handle, &info); err != nil {
		return fmt.Errorf("ask for %s: %w", file, err)
	}
	if info.FileAttributes&(windows.FILE_ATTRIBUTE_DIRECTORY|windows.FILE_ATTRIBUTE_REPARSE_POINT) != 0 {
		return d.strange(file)
	}
	if err := d.owned(handle); err != nil {
		return fmt.Errorf(`%w: %s\%s: %w; remove it`, partywall.ErrAccess, d.path, file, err)
	}
	return nil
}

func (d *Dir) strange(file string) error {
	return fmt.Errorf(`%w: %s\%s is not a plain file of this user's; remove it`, partywall.ErrAccess, d.path, file)
}
