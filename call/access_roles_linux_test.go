package call_test

import (
	"bufio"
	"context"
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

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

const (
	nobody     = 65534 // a user id that is not this process's
	accessName = "access"
)

func init() {
	call.RegisterRole("access dial", accessDial)
	call.RegisterRole("access knock", accessKnock)
	call.RegisterRole("access serve", accessServe)
}

// sentinels are the errors that a role can name to the test.
var sentinels = map[string]error{
	"ErrAccess":   partywall.ErrAccess,
	"ErrNotFound": partywall.ErrNotFound,
	"ErrRunning":  partywall.ErrRunning,
	"ErrPeerGone": partywall.ErrPeerGone,
	"ErrBusy":     partywall.ErrBusy,
	"ErrTooLarge": partywall.ErrTooLarge,
	"ErrProtocol": partywall.ErrProtocol,
	"EMFILE":      syscall.EMFILE,
	"EFBIG":       syscall.EFBIG,
	"EACCES":      syscall.EACCES,
}

// describe puts an error into one line: the names of what it is, and its text.
func describe(err error) string {
	if err == nil {
		return "ok"
	}
	line := ""
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			line += name + " "
		}
	}
	return fmt.Sprintf("%s%q", line, err)
}

// accessDial dials and says how that went.
func accessDial(args []string) error {
	c, err := call.Dial(context.Background(), args[0])
	fmt.Println(describe(err))
	if err == nil {
		c.Close()
	}
	return nil
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

// accessServe takes the name and holds it until its standard input ends.
func accessServe(args []string) error {
	srv, err := call.Listen(args[0])
	fmt.Println(describe(err))
	if err != nil {
		return nil
	}
	askM.Handle(srv, (&ledger{wrong: wrongInRole, seen: map[uint64]struct{}{}}).answer)
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		srv.Close()
	}()
	return srv.Serve(context.Background())
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

// openTempDir is a temporary directory that others can search, unlike that of
// testing.T. Its path is short enough for a socket's.
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

// runDir makes a run directory that others can see but not enter, and says so to
// this process and those that it starts.
func runDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(openTempDir(t), "run")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARTYWALL_DIR", dir)
	return dir
}

// serveAccess serves accessName in this process. What the server complains of comes
// through the channel.
func serveAccess(t *testing.T) <-chan error {
	t.Helper()
	complaints := make(chan error, 16)
	srv, err := call.Listen(accessName, call.OnError(func(err error) { complaints <- err }))
	if err != nil {
		t.Fatal(err)
	}
	askM.Handle(srv, (&ledger{wrong: func(err error) { complaints <- err }, seen: map[uint64]struct{}{}}).answer)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return complaints
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
