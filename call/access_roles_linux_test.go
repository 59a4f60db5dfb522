package call_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

const nobody = 65534 // a user id that is not this process's

func init() {
	call.RegisterRole("access knock", accessKnock)
	sentinels["EMFILE"], sentinels["EFBIG"], sentinels["EACCES"] = syscall.EMFILE, syscall.EFBIG, syscall.EACCES
}

// accessKnock connects to a socket, passing by the run directory's checks, and
// says what becomes of the connection.
func accessKnock(args []string) error {
	conn, err := net.Dial("unixpacket", args[0])
	if err != nil {
		fmt.Println("connect:", describe(err))
		return nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(proctest.Watchdog))
	n, err := conn.Read(make([]byte, 1))
	switch {
	case n == 0 && (err == nil || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		fmt.Println("closed")
	default:
		fmt.Println("read:", n, describe(err))
	}
	return nil
}

// another starts roles as another user.
type another struct {
	t      *testing.T
	binary string
}

// anotherUser copies this test binary to where the other user can run it: the go
// command keeps it in a directory of this user alone.
func anotherUser(t *testing.T) another {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("NOT TESTED: a second user. Only root can start a process as user %d; run this test as root", nobody)
	}
	binary := filepath.Join(openTempDir(t), "call.test")
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	return another{t, binary}
}

func (a another) start(role string, args ...string) *proctest.Process {
	a.t.Helper()
	return proctest.StartAs(a.t, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Dir = a.binary, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}, role, args...)
}

func makeRunDir(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

// socketOf returns the one socket in a run directory.
func socketOf(t *testing.T, dir string) string {
	t.Helper()
	sockets, err := filepath.Glob(filepath.Join(dir, "*.sock"))
	if err != nil || len(sockets) != 1 {
		t.Fatal(sockets, err)
	}
	return sockets[0]
}
