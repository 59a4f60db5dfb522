package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/proctest"
)

// What the kernel refuses is found, under its name, and nothing else is blamed. With
// the error 0 it pretends to have done it.
func TestForbidden(t *testing.T) {
	if runtime.GOARCH == "386" {
		t.Skip("a filter cannot tell what goes through socketcall(2)")
	}
	const (
		addSeals = 1033 // F_ADD_SEALS
		getSeals = 1034 // F_GET_SEALS
		waits    = 0    // FUTEX_WAIT, not private: those of the Go runtime are
	)
	for _, test := range []struct {
		what  string
		call  uint32
		errno unix.Errno
		arg   int
		value uint32
		id    string
		want  Status
		says  []string
	}{
		{"memfd_create", unix.SYS_MEMFD_CREATE, unix.EPERM, -1, 0, "memfd", Failed, []string{"memfd_create: operation not permitted", "seccomp profile"}},
		{"no memfd_create", unix.SYS_MEMFD_CREATE, unix.ENOSYS, -1, 0, "memfd", Failed, []string{"not implemented", "Linux 3.17"}},
		{"sealing", unix.SYS_FCNTL, unix.EPERM, 1, addSeals, "seals", Failed, []string{"F_ADD_SEALS"}},
		{"sealing, which is pretended", unix.SYS_FCNTL, 0, 1, addSeals, "seals", Failed, []string{"seals 0x7 were added, ", "only pretends"}},
		{"asking for seals", unix.SYS_FCNTL, unix.EINVAL, 1, getSeals, "seals", Failed, []string{"F_GET_SEALS: fcntl: invalid argument"}},
		{"fallocate", unix.SYS_FALLOCATE, unix.EOPNOTSUPP, -1, 0, "fallocate", Failed, []string{"bodies do not work"}},
		{"socketpair", unix.SYS_SOCKETPAIR, unix.EACCES, -1, 0, "seqpacket", Failed, []string{"socketpair", "cannot be joined"}},
		{"receiving descriptors", unix.SYS_RECVMSG, unix.EPERM, 2, unix.MSG_CMSG_CLOEXEC | unix.MSG_DONTWAIT, "seqpacket", Failed, []string{"SCM_RIGHTS: recvmsg"}},
		{"descriptors, whose arrival is pretended", unix.SYS_RECVMSG, 0, 2, unix.MSG_CMSG_CLOEXEC | unix.MSG_DONTWAIT, "seqpacket", Failed, []string{"SCM_RIGHTS: "}},
		{"bind", unix.SYS_BIND, unix.EPERM, -1, 0, "rendezvous", Failed, []string{"bind: operation not permitted", "PARTYWALL_DIR"}},
		{"flock", unix.SYS_FLOCK, unix.ENOSYS, -1, 0, "rendezvous", Failed, []string{"flock"}},
		{"a futex between mappings", unix.SYS_FUTEX, unix.ENOSYS, 1, waits, "futex", Warning, []string{"not implemented", "Nothing for calls"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			findings := found(t, "forbidden", test.call, int(test.errno), test.arg, test.value)
			if test.id == "seals" { // which a region needs too
				findings = without(findings, "shared-mapping")
			}
			only(t, findings, test.id, test.want, test.says...)
		})
	}
}

func TestLimited(t *testing.T) {
	findings := found(t, "limited", unix.RLIMIT_FSIZE, ControlSize-1)
	only(t, without(findings, "memfd"), "file-size", Failed, "1028 KiB", "ulimit -f unlimited")
	only(t, without(findings, "file-size"), "memfd", Failed, "file too large", "ulimit -f unlimited")
	if f := findings["shared-mapping"]; f.Status != Unknown || f.Seen != "not tried, because of: memfd" {
		t.Errorf("%+v", f)
	}
	only(t, found(t, "limited", unix.RLIMIT_FSIZE, ControlSize), "file-size", Warning, "up to 1028 KiB")
	only(t, found(t, "limited", unix.RLIMIT_FSIZE, uint64(2<<30)), "file-size", OK, "up to 2 GiB")
	only(t, found(t, "limited", unix.RLIMIT_FSIZE, ^uint64(0)), "file-size", OK, "of any size")

	// This process has standard input, output and error, the poller's two, and
	// whatever the runtime has.
	findings = found(t, "limited", unix.RLIMIT_NOFILE, scarce)
	only(t, findings, "descriptors", Failed, "ulimit -n 1024")
	for _, f := range findings {
		if f.ID != "descriptors" && f.Seen != "not tried, because of: descriptors" {
			t.Errorf("%+v", f)
		}
	}
	only(t, found(t, "limited", unix.RLIMIT_NOFILE, 100), "descriptors", Warning, "of 100 are left")
}

func without(findings map[string]Finding, id string) map[string]Finding {
	rest := map[string]Finding{}
	for _, f := range findings {
		if f.ID != id {
			rest[f.ID] = f
		}
	}
	return rest
}

// With each number of descriptors there is an answer, and the process ends in order.
func TestFewDescriptors(t *testing.T) {
	for limit := 3; limit < 30; limit++ {
		findings := found(t, "limited", unix.RLIMIT_NOFILE, limit)
		failed := 0
		for _, f := range findings {
			if f.Status == Failed {
				failed++
			}
		}
		switch f := findings["descriptors"]; {
		case f.Status == OK:
			t.Errorf("%d descriptors are plenty: %+v", limit, f)
		case f.Status == Failed && failed != 1:
			t.Errorf("%d descriptors: %v", limit, findings)
		case f.Status == Warning && failed > 0:
			t.Errorf("%d descriptors are said to be enough: %v", limit, findings)
		}
	}
}

// A mode that the umask takes away is noticed before a service meets it.
func TestUmask(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	only(t, found(t, "umask", "0277"), "rendezvous", Failed, "mode 0500", "umask")
	only(t, found(t, "umask", "0077"), "rendezvous", OK)
}

// A file system that does not do is found by trying it.
func TestMounted(t *testing.T) {
	dir := t.TempDir()
	try := exec.Command("mount", "-t", "tmpfs", "none", dir)
	try.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	if out, err := try.CombinedOutput(); err != nil {
		t.Skipf("this user cannot mount: %v %s", err, out)
	}
	t.Setenv("PARTYWALL_DIR", filepath.Join(dir, "run"))
	only(t, found(t, "mounted", dir, "rw", ""), "rendezvous", OK)
	only(t, found(t, "mounted", dir, "ro", ""), "rendezvous", Failed, "read-only file system", "set PARTYWALL_DIR")
	only(t, found(t, "mounted", dir, "rw", "nr_inodes=3"), "rendezvous", Failed, "no space left on device", "inodes")
	findings := found(t, "mounted", "/proc", "rw", "")
	only(t, findings, "proc", Failed, "/proc/self/fd", "mount -t proc")
	for id, why := range map[string]string{"run-directory": "proc", "rendezvous": "run-directory"} {
		if f := findings[id]; f.Status != Unknown || f.Seen != "not tried, because of: "+why {
			t.Errorf("%+v", f)
		}
	}
	if f := findings["memfd"]; f.Status != OK {
		t.Errorf("%+v", f)
	}
}

// Nothing is left: no file, no descriptor, no memory, no goroutine.
func TestLeavesNothing(t *testing.T) {
	Examine(t.Context())
	above := t.TempDir()
	for _, run := range []string{"missing", "there"} {
		t.Setenv("PARTYWALL_DIR", filepath.Join(above, run))
		if err := os.Mkdir(filepath.Join(above, "there"), 0o700); err != nil && run == "missing" {
			t.Fatal(err)
		}
		leaks := proctest.Watch(t)
		only(t, byID(t, Examine(t.Context())), "rendezvous", OK)
		leaks.Check()
	}
	for dir, want := range map[string]int{above: 1, filepath.Join(above, "there"): 0} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
			t.Errorf("%s: %v, %v", dir, entries, err)
		}
	}
}
