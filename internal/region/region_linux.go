package region

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// seals keep the size as it is: memory that a peer could truncate would raise
// SIGBUS in whoever reads it.
const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

func create(label string, size int64, fill Fill) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("partywall-"+label, flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("partywall-"+label, flags)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "memfd:partywall-"+label)
	if err := setSize(fd, size, fill); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func setSize(fd int, size int64, fill Fill) error {
	if err := retry(func() error { return unix.Ftruncate(fd, size) }); err != nil {
		return os.NewSyscallError("ftruncate", err)
	}
	if fill == Filled {
		if err := retry(func() error { return unix.Fallocate(fd, 0, 0, size) }); err != nil {
			return os.NewSyscallError("fallocate", err)
		}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return os.NewSyscallError("fcntl F_ADD_SEALS", err)
	}
	return nil
}

func verify(file *os.File, size int64) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var broken error
	err = raw.Control(func(fd uintptr) { broken = verifyFD(int(fd), size) })
	return errors.Join(err, broken)
}

// verifyFD accepts a memfd on ordinary shared memory, of that size, that can no
// longer change its size. Huge pages are refused: a hole punched into them can
// raise SIGBUS at the next touch, which a hole in ordinary memory does not. The
// seals are asked for first: that does not enter a file system, which could hang.
func verifyFD(fd int, size int64) error {
	have, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if checkSeals {
		if err != nil {
			return fmt.Errorf("%w: the descriptor lent cannot be sealed: %w", partywall.ErrProtocol, os.NewSyscallError("fcntl F_GET_SEALS", err))
		}
		if have&(unix.F_SEAL_SHRINK|unix.F_SEAL_GROW) != unix.F_SEAL_SHRINK|unix.F_SEAL_GROW {
			return fmt.Errorf("%w: the memory lent is not sealed against shrinking and growing (seals %#x)", partywall.ErrProtocol, have)
		}
	}
	var fs unix.Statfs_t
	if err := retry(func() error { return unix.Fstatfs(fd, &fs) }); err != nil {
		return os.NewSyscallError("fstatfs", err)
	}
	if checkKind && int64(fs.Type) != unix.TMPFS_MAGIC {
		return fmt.Errorf("%w: the descriptor lent is not a memfd (file system type %#x)", partywall.ErrProtocol, fs.Type)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if checkLength && st.Size != size {
		return fmt.Errorf("%w: the memory lent has %d bytes, %d were announced", partywall.ErrProtocol, st.Size, size)
	}
	return nil
}

func mapShared(file *os.File, size int) ([]byte, error) { return mapFile(file, size, false) }

func mapFile(file *os.File, size int, readOnly bool) (mem []byte, err error) {
	access := unix.PROT_READ | unix.PROT_WRITE
	if readOnly {
		access = unix.PROT_READ
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := raw.Control(func(fd uintptr) {
		mem, err = unix.Mmap(int(fd), 0, size, access, unix.MAP_SHARED)
	})
	if cerr != nil {
		return nil, cerr
	}
	return mem, os.NewSyscallError("mmap", err)
}

func unmap(mem []byte) error { return os.NewSyscallError("munmap", unix.Munmap(mem)) }

func retry(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
