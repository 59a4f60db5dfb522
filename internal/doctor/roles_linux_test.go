package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/proctest"
)

// roles are processes that do something to themselves and then print what is found.
var roles = proctest.Roles{
	"umask":     withUmask,
	"mounted":   withMount,
	"limited":   withLimit,
	"forbidden": withFilter,
}

func printFindings() error { return json.NewEncoder(os.Stdout).Encode(Examine(context.Background())) }

func withUmask(args []string) error {
	mask, err := strconv.ParseInt(args[0], 8, 32)
	if err != nil {
		return err
	}
	unix.Umask(int(mask))
	return printFindings()
}

// withMount mounts an empty file system: where, read-only or not, its options.
func withMount(args []string) error {
	flags := uintptr(0)
	if args[1] == "ro" {
		flags = unix.MS_RDONLY
	}
	if err := unix.Mount("none", args[0], "tmpfs", flags, args[2]); err != nil {
		return err
	}
	return printFindings()
}

// withLimit lowers a limit: its number and the limit.
func withLimit(args []string) error {
	resource, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	limit, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	return printFindings()
}

// withFilter has the kernel refuse a system call: its number, the error's, and
// which argument has to be what (or -1).
func withFilter(args []string) error {
	var n [4]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i]); err != nil {
			return err
		}
	}
	if err := forbid(uint32(n[0]), unix.Errno(n[1]), n[2], uint32(n[3])); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	return printFindings()
}

// found runs a role and returns what it finds, by id.
func found(t *testing.T, role string, args ...any) map[string]Finding {
	t.Helper()
	var words []string
	for _, a := range args {
		words = append(words, fmt.Sprint(a))
	}
	p := proctest.StartAs(t, func(cmd *exec.Cmd) {
		if role == "mounted" {
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		}
	}, role, words...)
	line := p.Line()
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	var findings []Finding
	if err := json.Unmarshal([]byte(line), &findings); err != nil {
		t.Fatal(err)
	}
	return byID(t, findings)
}

func byID(t *testing.T, findings []Finding) map[string]Finding {
	t.Helper()
	all := map[string]Finding{}
	for _, f := range findings {
		wellFormed(t, f)
		all[f.ID] = f
	}
	return all
}

// only fails the test unless the findings have this one of that status, with
// these words in what was seen or what is to be done, and nothing else failed. What was
// not tried does not matter.
func only(t *testing.T, findings map[string]Finding, id string, want Status, words ...string) {
	t.Helper()
	f := findings[id]
	if f.Status != want {
		t.Errorf("%s is %q, want %q: %+v", id, f.Status, want, f)
	}
	for _, w := range words {
		if !strings.Contains(f.Seen+"\n"+f.Means+"\n"+f.Advice, w) {
			t.Errorf("%s does not say %q: %+v", id, w, f)
		}
	}
	for _, other := range findings {
		if other.ID != id && other.Status == Failed {
			t.Errorf("besides, there is %+v", other)
		}
	}
}

// A refusal by the kernel that the tests bring about needs no name.
func TestAdvice(t *testing.T) {
	for err, want := range map[error]string{
		unix.EMFILE:                          "ulimit -n",
		unix.EFBIG:                           "ulimit -f",
		os.NewSyscallError("x", unix.ENFILE): "fs.file-max",
		fmt.Errorf("x: %w", unix.ENOSYS):     "Linux 3.17",
		unix.EPERM:                           "seccomp",
		errors.New("strange"):                "please report",
	} {
		f := refused(err, "it", "nothing works.")
		f.ID, f.Title = "a", "A"
		wellFormed(t, f)
		if f.Status != Failed || !strings.Contains(f.Advice, want) {
			t.Errorf("%v: %+v", err, f)
		}
	}
}
