package doctor

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// refused is the finding that the system refused something, which means that
// what follows "so" does not work.
func refused(err error, what, so string) Finding {
	return Finding{
		Status: Failed,
		Seen:   fmt.Sprintf("%s: %v", what, err),
		Means:  "So " + so,
		Advice: advice(err),
	}
}

// unreadable is the finding that a limit could not be found out.
func unreadable(err error, what string) Finding {
	return Finding{
		Status: Unknown,
		Seen:   fmt.Sprintf("%s: %v", what, err),
		Means:  "Whether calls meet this limit is not known.",
		Advice: advice(err),
	}
}

const (
	raiseFiles    = "Raise the limit of open files: ulimit -n 1024, LimitNOFILE= of systemd, --ulimit nofile= of docker."
	raiseFileSize = "Raise the limit of a file's size, which counts for shared memory too: ulimit -f unlimited, LimitFSIZE=infinity of systemd."
)

// advice is what can be done about an error of the system's.
func advice(err error) string {
	for _, a := range []struct {
		errno error
		do    string
	}{
		{unix.EMFILE, raiseFiles},
		{unix.ENFILE, "The whole system has too many open files: raise fs.file-max, or find out who has them."},
		{unix.EFBIG, raiseFileSize},
		{unix.ENOMEM, "Free some memory, or raise the limit: ulimit -v, or the memory limit of the container."},
		{unix.ENOSPC, "Free some space, or some inodes."},
		{unix.EDQUOT, "Free some space: the user's quota is used up."},
		{unix.EROFS, "Choose a file system that can be written to: set PARTYWALL_DIR."},
		{unix.ENOSYS, "The kernel or the sandbox does not have it: use Linux 3.17 or later, without a sandbox that leaves it out."},
		{unix.EOPNOTSUPP, "The kernel or the file system does not have it: use another."},
		{unix.EACCES, "A sandbox or security module forbids it: look at the container's seccomp profile, SELinux or AppArmor."},
		{unix.EPERM, "A sandbox or security module forbids it: look at the container's seccomp profile, SELinux or AppArmor."},
	} {
		if errors.Is(err, a.errno) {
			return a.do
		}
	}
	return fmt.Sprintf("That is not known to happen on %s: please report it, with all of this output.", runtime.GOOS)
}
