package procmem

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// testBlock is a block as Alloc would make it.
func testBlock(t *testing.T, size int) *Block {
	t.Helper()
	own := ownTarget()
	own.refs.Store(2)
	return &Block{address: uintptr(ours(t, 1).base), size: size, pid: own.pid, target: own}
}

func TestAlloc(t *testing.T) {
	m, _ := theirs(t, 1)
	for _, p := range []*Process{m.p, Self()} {
		b, err := p.Alloc(1)
		if b != nil || !errors.Is(err, partywall.ErrNotSupported) || !strings.Contains(err.Error(), "Linux") {
			t.Errorf("%v, %v", b, err)
		}
		if b, err := p.Alloc(0); b != nil || err == nil {
			t.Errorf("nothing: %v, %v", b, err)
		}
	}
}

// A Process that is forgotten holds its descriptor no longer than the collector needs.
func TestForgotten(t *testing.T) {
	leaks := proctest.Watch(t)
	child := proctest.Start(t, "hold", "1")
	for range 100 {
		if _, err := Open(child.PID()); err != nil {
			t.Fatal(err)
		}
	}
	child.Wait()
	runtime.GC()
	leaks.Check()
}

func TestThread(t *testing.T) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		var tid int
		if fmt.Sscan(task.Name(), &tid); tid == os.Getpid() {
			continue
		}
		if p, err := Open(tid); !errors.Is(err, partywall.ErrNotFound) {
			t.Errorf("thread %d: %v, %v", tid, p, err)
		}
	}
	// 2 is kthreadd, unless this is a container.
	if name, _ := os.ReadFile("/proc/2/comm"); string(name) == "kthreadd\n" {
		if p, err := Open(2); !errors.Is(err, partywall.ErrNotFound) {
			t.Errorf("kthreadd: %v, %v", p, err)
		}
	}
}

// A process that has ended and that nobody has waited for yet has an id, and no memory.
func TestZombie(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := Open(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	in.Close()
	for p.Alive() {
	}
	if _, err := p.ReadAt(make([]byte, 1), 0); !errors.Is(err, partywall.ErrPeerGone) {
		t.Error(err)
	}
	if again, err := Open(cmd.Process.Pid); !errors.Is(err, partywall.ErrNotFound) {
		t.Errorf("%v, %v", again, err)
	}
	cmd.Wait()
}

// shield protects itself as programs with secrets do, and holds a page.
func shield(args []string) error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	return hold([]string{"1"})
}

const nobody = 65534

// asNobody starts a role as another user.
func asNobody(t *testing.T) func(role string, args ...string) *proctest.Process {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: a second user. Only root can start a process as another; run this test as root")
	}
	dir, err := os.MkdirTemp("", "pw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// The go command keeps the test binary where only this user reaches it.
	binary := filepath.Join(dir, "procmem.test")
	if err := copyFile(binary, "/proc/self/exe"); err != nil {
		t.Fatal(err)
	}
	return func(role string, args ...string) *proctest.Process {
		return proctest.StartAs(t, func(cmd *exec.Cmd) {
			cmd.Path, cmd.Dir = binary, "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}, role, args...)
	}
}

func checkDenied(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range append(parts, partywall.ErrAccess.Error()) {
		if !strings.Contains(got, part) {
			t.Errorf("%q lacks %q", got, part)
		}
	}
}

func TestOtherUser(t *testing.T) {
	start := asNobody(t)
	me := fmt.Sprint(os.Getpid())
	checkDenied(t, start("open", me).Expect("opened "), "process "+me, "user 0", "user 65534")
}

// A process can shield itself from its own user.
func TestShielded(t *testing.T) {
	start := asNobody(t)
	shielded := start("shield")
	shielded.Expect("at ")
	pid := fmt.Sprint(shielded.PID())
	checkDenied(t, start("open", pid).Expect("opened "), "process "+pid, "root")
	// Root may do it all the same.
	p, err := Open(shielded.PID())
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = io.Copy(out, in)
	return err
}

func TestYamaAdvice(t *testing.T) {
	for scope, want := range map[string]string{
		"1": "process 42 call prctl(PR_SET_PTRACER, " + fmt.Sprint(os.Getpid()),
		"2": "only root",
		"3": "nobody",
		"0": "PR_SET_DUMPABLE",
		"":  "PR_SET_DUMPABLE",
	} {
		if got := yamaAdvice(42, scope); !strings.Contains(got, want) {
			t.Errorf("%q: %s", scope, got)
		}
	}
}

func TestRealUID(t *testing.T) {
	for status, want := range map[string]int{
		"Name:\tx\nUid:\t1000\t0\t0\t0\n": 1000,
		"Uid:\t\n":                        -1,
		"Uid:\tx\n":                       -1,
		"":                                -1,
	} {
		if got, ok := realUID([]byte(status)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %t", status, got, ok)
		}
	}
}
