package doctor

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// scarce is how many descriptors the Go runtime and one conn need together.
	// With less this process must not even look further: the runtime ends a
	// program whose poller, which timers need too, does not get its two.
	scarce = 10
	// few is a number of conns that a small service soon has.
	few = 256
)

// descriptors is asked before anything opens a file, and opens none.
func descriptors(context.Context) Finding {
	limit, err := limitOf(unix.RLIMIT_NOFILE)
	if err != nil {
		return unreadable(err, "RLIMIT_NOFILE")
	}
	return descriptorsLeft(limit, openBelow(min(limit, 4096)))
}

func descriptorsLeft(limit, open uint64) Finding {
	left := limit - min(limit, open)
	f := Finding{Status: OK, Seen: fmt.Sprintf("%d of %d are left; a conn takes one on each side", left, limit)}
	switch {
	case left < scarce:
		f.Status = Failed
		f.Means = "A program has not even enough for one conn."
		f.Advice = raiseFiles
	case left < few:
		f.Status = Warning
		f.Means = fmt.Sprintf("A server has room for less than %d conns; one more is refused, or waits.", left)
		f.Advice = raiseFiles
	}
	return f
}

// openBelow counts this process's descriptors below limit.
func openBelow(limit uint64) (n uint64) {
	for fd := range uintptr(limit) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

// limitOf returns the limit that holds now. Programs in Go raise their limit of
// open files to the hard one when they start.
func limitOf(resource int) (uint64, error) {
	var r unix.Rlimit
	err := unix.Getrlimit(resource, &r)
	return uint64(r.Cur), err
}

// unlimited is RLIM_INFINITY, which x/sys/unix has as a negative number.
const unlimited = ^uint64(0)

// maxBody is the longest body that a call carries, in bytes.
const maxBody = 1 << 30

func fileSize(context.Context) Finding {
	limit, err := limitOf(unix.RLIMIT_FSIZE)
	if err != nil {
		return unreadable(err, "RLIMIT_FSIZE")
	}
	return fileSizeUpTo(limit)
}

func fileSizeUpTo(limit uint64) Finding {
	f := Finding{Status: OK, Seen: "shared memory of any size can be made", Advice: raiseFileSize}
	if limit != unlimited {
		f.Seen = "shared memory of up to " + size(limit) + " can be made"
	}
	switch {
	case limit < ControlSize:
		f.Status = Failed
		f.Means = "No conn can be made: it needs " + size(ControlSize) + "."
	case limit < 2*maxBody:
		f.Status = Warning
		f.Means = "A call fails if the bodies of its argument and its result need more together; 2 GiB is the most they can have."
	default:
		f.Advice = ""
	}
	return f
}

func addressSpace(context.Context) Finding {
	limit, err := limitOf(unix.RLIMIT_AS)
	var used uint64
	if err == nil && limit != unlimited {
		used, err = mapped()
	}
	if err != nil {
		return unreadable(err, "RLIMIT_AS")
	}
	return addressSpaceUpTo(limit, used)
}

func addressSpaceUpTo(limit, used uint64) Finding {
	if limit == unlimited {
		return fine("no limit")
	}
	left := limit - min(limit, used)
	f := Finding{Status: OK, Seen: fmt.Sprintf("%s of %s are left", size(left), size(limit)), Advice: "Raise it: ulimit -v unlimited, LimitAS=infinity of systemd."}
	switch {
	case left < 2*ControlSize:
		f.Status = Failed
		f.Means = "No conn can be made: each maps " + size(ControlSize) + ", and the program itself needs room to grow."
	case left < 2*maxBody:
		f.Status = Warning
		f.Means = "Bodies that need more cannot be mapped, and a program that has no room left for its heap ends."
	default:
		f.Advice = ""
	}
	return f
}

// mapped returns how many bytes of addresses this process has mapped.
func mapped() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	pages, err := strconv.ParseUint(first, 10, 64)
	return pages * uint64(page), err
}

// manyMaps are the mappings that a service can come to with all that it takes
// unless told otherwise: 32,768 body regions, 4,096 conns, and its program.
const manyMaps = 40_000

func mapCount(context.Context) Finding {
	count, err := number("/proc/sys/vm/max_map_count")
	if err != nil {
		return unreadable(err, "vm.max_map_count")
	}
	return mapCountUpTo(count)
}

func mapCountUpTo(count uint64) Finding {
	f := fine("%d for each process; a conn takes one on each side, and so does a body", count)
	if count < manyMaps {
		f.Status = Warning
		f.Means = "A service with many clients and bodies runs out of them, and a program that has none left for its heap ends."
		f.Advice = "sysctl vm.max_map_count=65530, which is what Linux has by itself, or more."
	}
	return f
}
