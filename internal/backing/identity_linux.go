package backing

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// An identity is a process id, and 32 bits of the time at which the process began, in ticks since
// the machine did (proc(5), field 22 of stat): the id may be given to another process, but not
// at the same time.

func ownIdentity() (uint64, error) { return identityOf(os.Getpid()) }

func identityOf(pid int) (uint64, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The second field is the program's name, in brackets, and may have anything in it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	began, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return uint64(pid)<<32 | began&0xffffffff, err
}

// alive reports whether the process of an identity is there. In doubt it is.
func alive(identity uint64) bool {
	pid := int(identity >> 32)
	// A process that nobody has waited for is still in /proc. Its descriptor can be read from
	// when all its threads have ended (pidfd_open(2)). No descriptor, and no ESRCH either: the id
	// is a thread's now, or this kernel does not have them.
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return false
	}
	there := err == nil
	if there {
		defer unix.Close(fd)
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(poll, 0); err == nil && n > 0 {
			return false
		}
	}
	now, err := identityOf(pid)
	if err != nil { // of another user's process /proc may say nothing: proc(5), hidepid
		return there || !os.IsNotExist(err)
	}
	return now == identity
}
