package procmem

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

type system struct{ pidfd int }

func (t *target) openSelf() { t.pidfd = -1 }

func (t *target) open() error {
	if t.pid <= 0 {
		return errNotFound(t.pid, "process ids begin at 1")
	}
	fd, err := unix.PidfdOpen(t.pid, 0)
	switch {
	case errors.Is(err, unix.ESRCH):
		return errNotFound(t.pid, "there is no such process")
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
		return errNotFound(t.pid, "it is a thread, and not the first of its process")
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: memory of process %d: pidfd_open needs Linux 5.3: %w", partywall.ErrNotSupported, t.pid, err)
	case err != nil:
		return fmt.Errorf("memory of process %d: pidfd_open: %w", t.pid, err)
	}
	t.pidfd = fd
	// Access is settled at each transfer. This one says now whether it is granted: the
	// kernel looks at the rights before it finds nothing at address 0.
	var b [1]byte
	_, err = t.move(reading, b[:], 0)
	if err == nil || t.classify(err) == unmapped {
		return nil
	}
	err = t.fail(err, fmt.Sprintf("open process %d", t.pid))
	_ = t.close()
	if errors.Is(err, partywall.ErrPeerGone) {
		return errNotFound(t.pid, "it has ended, or is a thread of the kernel")
	}
	return err
}

// move asks whether the process still runs, after a read and before a write; see the
// package comment.
func (t *target) move(op operation, b []byte, at uintptr) (n int, err error) {
	local := [1]unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	remote := [1]unix.RemoteIovec{{Base: at, Len: len(b)}}
	if op == writing {
		if t.ended() {
			return 0, unix.ESRCH
		}
		n, err = unix.ProcessVMWritev(t.pid, local[:], remote[:], 0)
	} else {
		n, err = unix.ProcessVMReadv(t.pid, local[:], remote[:], 0)
		if err == nil && t.ended() {
			return 0, unix.ESRCH
		}
	}
	return max(n, 0), err
}

func (t *target) classify(err error) failure {
	switch {
	case errors.Is(err, unix.EFAULT):
		return unmapped
	case errors.Is(err, unix.ESRCH), errors.Is(err, os.ErrNotExist): // the second: /proc/PID
		return gone
	case errors.Is(err, os.ErrPermission):
		return denied
	case errors.Is(err, unix.ENOSYS), err == errAlloc:
		return unsupported
	}
	return failed
}

func (t *target) ended() bool {
	if t.myself {
		return false
	}
	fds := [1]unix.PollFd{{Fd: int32(t.pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds[:], 0)
		if err != unix.EINTR {
			return n > 0
		}
	}
}

// whyDenied follows the order in which the kernel looks, see ptrace(2), "Ptrace
// access mode checking".
// awaitEnd has nothing to wait for: ended knows at once.
func (t *target) awaitEnd() {}

func (t *target) whyDenied() string {
	if status, err := os.ReadFile(t.proc("status")); err == nil {
		if uid, ok := realUID(status); ok && uid != os.Getuid() {
			return fmt.Sprintf("the process belongs to user %d and this one to user %d; run this one as that user or as root", uid, os.Getuid())
		}
	}
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	return yamaAdvice(t.pid, strings.TrimSpace(string(scope)))
}

// yamaAdvice says what to do under a value of ptrace_scope, which is empty without
// Yama: see the kernel's Documentation/admin-guide/LSM/Yama.rst.
func yamaAdvice(pid int, scope string) string {
	const name = "/proc/sys/kernel/yama/ptrace_scope"
	switch scope {
	case "1":
		return fmt.Sprintf("%s is 1, which allows only a process that this one has started; have process %d "+
			"call prctl(PR_SET_PTRACER, %d), run this one as root, or set ptrace_scope to 0", name, pid, os.Getpid())
	case "2":
		return name + " is 2, which allows only root; run this one as root (CAP_SYS_PTRACE) or set ptrace_scope to 0"
	case "3":
		return name + " is 3, which allows nobody; it can be set to another value only at boot"
	}
	return "the process is protected (prctl PR_SET_DUMPABLE, or more capabilities than this one), or a container " +
		"forbids process_vm_readv; run this one as root (CAP_SYS_PTRACE) or allow the call"
}

// realUID returns the real user id from /proc/PID/status.
func realUID(status []byte) (uid int, ok bool) {
	for s := bufio.NewScanner(bytes.NewReader(status)); s.Scan(); {
		if ids, is := strings.CutPrefix(s.Text(), "Uid:"); is {
			fields := strings.Fields(ids)
			if len(fields) == 0 {
				return 0, false
			}
			uid, err := strconv.Atoi(fields[0])
			return uid, err == nil
		}
	}
	return 0, false
}

// proc returns the path of a file about the process.
func (t *target) proc(file string) string {
	if t.myself {
		return "/proc/self/" + file
	}
	return "/proc/" + strconv.Itoa(t.pid) + "/" + file
}

// errAlloc: Linux has no call that maps memory in another process.
var errAlloc = errors.New("no process allocates memory in another on Linux")

func (t *target) alloc(int) (uintptr, error) { return 0, errAlloc }

func (t *target) free(uintptr) error { return errAlloc }

func (t *target) close() error { return unix.Close(t.pidfd) }
