package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/region"
)

const (
	noConn   = "no conn can be made: its region is such memory."
	noBodies = "calls with bodies do not work."
)

var page = int64(os.Getpagesize())

// memfd makes memory as internal/region does, but in single steps, so that a
// finding says which of them the system refuses.
func memfd(size int64) (int, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("partywall-doctor", flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("partywall-doctor", flags)
	}
	if err != nil {
		return -1, os.NewSyscallError("memfd_create", err)
	}
	if err := again(func() error { return unix.Ftruncate(fd, size) }); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("ftruncate", err)
	}
	return fd, nil
}

func memfdCreate(context.Context) Finding {
	fd, err := memfd(ControlSize)
	if err != nil {
		return refused(err, "sealable memory of "+size(ControlSize), noConn)
	}
	unix.Close(fd)
	return fine("sealable memory of %s, as a conn has it", size(ControlSize))
}

const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// sealing: what a peer could shrink would kill whoever reads it.
func sealing(context.Context) Finding {
	fd, err := memfd(2 * page)
	if err != nil {
		return refused(err, "memory to seal", noConn)
	}
	defer unix.Close(fd)
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return refused(os.NewSyscallError("fcntl", err), "F_ADD_SEALS", noConn)
	}
	have, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return refused(os.NewSyscallError("fcntl", err), "F_GET_SEALS", noConn)
	}
	loose := func(seen string) Finding {
		return Finding{
			Status: Failed,
			Seen:   seen,
			Means:  "A peer could take memory away from under a reader, which kills it; Dial refuses such memory.",
			Advice: "The kernel or the sandbox only pretends to seal: use another.",
		}
	}
	if have&seals != seals {
		return loose(fmt.Sprintf("seals %#x were added, %#x are there", seals, have))
	}
	for _, pages := range []int64{0, 1, 4} {
		if err := unix.Ftruncate(fd, pages*page); !errors.Is(err, unix.EPERM) {
			return loose(fmt.Sprintf("ftruncate of two sealed pages to %d: %v, want EPERM", pages, err))
		}
	}
	return fine("SHRINK, GROW and SEAL hold: ftruncate fails with EPERM")
}

// allocating: bodies are allocated at once, so that a lack of memory is an error
// and no fault later.
func allocating(context.Context) Finding {
	fd, err := memfd(ControlSize)
	if err != nil {
		return refused(err, "memory to fill", noBodies)
	}
	defer unix.Close(fd)
	if err := again(func() error { return unix.Fallocate(fd, 0, 0, ControlSize) }); err != nil {
		return refused(os.NewSyscallError("fallocate", err), size(ControlSize), noBodies)
	}
	return fine("%s at once", size(ControlSize))
}

// sharedMapping does with one region what the two sides of a conn do.
func sharedMapping(context.Context) Finding {
	mine, theirs, err := twice(ControlSize)
	if err != nil {
		return refused(err, "map it twice", noConn)
	}
	defer mine.Close()
	defer theirs.Close()
	a, b := mine.Bytes(), theirs.Bytes()
	a[0], b[len(b)-1] = 1, 2
	if b[0] != 1 || a[len(a)-1] != 2 {
		return Finding{
			Status: Failed,
			Seen:   "what is written to one mapping is not seen in the other",
			Means:  "Two processes would never see each other's arguments and results.",
			Advice: "The kernel or the sandbox has no shared mappings of a memfd: use another.",
		}
	}
	return fine("%s mapped twice; each sees what is written to the other", size(ControlSize))
}

// twice maps a region of at least n bytes twice, as the two sides of a conn do.
func twice(n int64) (mine, theirs *region.Region, err error) {
	mine, err = region.Create("doctor", (n+page-1)/page*page, region.Sparse)
	if err != nil {
		return nil, nil, err
	}
	defer mine.CloseFile()
	fd, err := unix.FcntlInt(mine.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		mine.Close()
		return nil, nil, os.NewSyscallError("fcntl F_DUPFD_CLOEXEC", err)
	}
	if theirs, err = region.Accept(os.NewFile(uintptr(fd), "lent"), mine.Size()); err != nil {
		mine.Close()
		return nil, nil, err
	}
	return mine, theirs, nil
}

// again repeats what a signal interrupted.
func again(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
