package instance_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

const nobody = 65534 // a user id that is not this process's

// startAsNobody starts a player as another user. This test binary is copied to where that one can run it.
func startAsNobody(t *testing.T) *proctest.Process {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("NOT TESTED: a second user. Only root can start a process as user %d; run this test as root", nobody)
	}
	binary := filepath.Join(openTempDir(t), "instance.test")
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	return proctest.StartAs(t, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Dir = binary, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}, "player")
}

// openTempDir is a temporary directory that others can search, unlike that of testing.T.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runDir is a run directory that others can see but not enter.
func runDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(openTempDir(t), "run")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARTYWALL_DIR", dir)
	return dir
}

// Another user's processes are not let into the run directory: whether anybody runs there, they do not learn.
func TestAccessOfAnotherUser(t *testing.T) {
	prepare(t)
	dir := runDir(t)
	i := acquire(t, "access")
	p := startAsNobody(t)
	tell(t, p, order{Do: "acquire", Name: "access"})
	if r := hear(t, p, "failed"); !strings.Contains(r.Error, "access denied") || !strings.Contains(r.Error, dir) {
		t.Errorf("it says %+v", r)
	}
	go instance.Acquire(context.Background(), "access", instance.Args("mine"))
	if l := next(t, i); l.From != me(t) {
		t.Errorf("%+v", l)
	}
}

// A user who has a run directory of his own has instances of his own.
func TestAnotherUsersOwnInstance(t *testing.T) {
	prepare(t)
	acquire(t, "each")
	dir := openTempDir(t)
	if err := os.Chown(dir, nobody, nobody); err != nil && os.Geteuid() == 0 {
		t.Fatal(err)
	}
	t.Setenv("PARTYWALL_DIR", filepath.Join(dir, "run"))
	p := startAsNobody(t)
	tell(t, p, order{Do: "acquire", Name: "each"})
	hear(t, p, "first")
	tell(t, p, order{Do: "close"})
	hear(t, p, "closed")

	// His directory is not for this user's processes, not even root's.
	_, err := instance.Acquire(context.Background(), "each", instance.Dir(filepath.Join(dir, "run")))
	wantErr(t, err, partywall.ErrAccess)
	if errors.Is(err, partywall.ErrUnreachable) {
		t.Errorf("nobody knows whether one runs: %v", err)
	}
}

// The lock is ours, and the socket another user's: who that is the kernel says.
func TestAnotherUsersSocket(t *testing.T) {
	prepare(t)
	mine := runDir(t)
	acquire(t, "socket")
	theirs := openTempDir(t)
	if err := os.Chown(theirs, nobody, nobody); err != nil && os.Geteuid() == 0 {
		t.Fatal(err)
	}
	t.Setenv("PARTYWALL_DIR", filepath.Join(theirs, "run"))
	p := startAsNobody(t)
	tell(t, p, order{Do: "acquire", Name: "socket"})
	hear(t, p, "first")
	t.Setenv("PARTYWALL_DIR", mine)
	sockets, err := filepath.Glob(filepath.Join(theirs, "run", "*.sock"))
	if err != nil || len(sockets) != 1 {
		t.Fatal(sockets, err)
	}
	if err := os.Rename(sockets[0], filepath.Join(mine, filepath.Base(sockets[0]))); err != nil {
		t.Fatal(err)
	}
	_, err = instance.Acquire(context.Background(), "socket")
	wantErr(t, err, partywall.ErrUnreachable, partywall.ErrAccess)
	wantText(t, err, "user 65534")
}
