package peer

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func TestMain(m *testing.M) {
	proctest.Main(m, proctest.Roles{"connect": connect})
}

// connect connects to a path, and says whom it has found there.
func connect(args []string) error {
	conn, err := net.Dial("unixpacket", args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	id, err := OfSocket(conn.(*net.UnixConn))
	if err != nil {
		return err
	}
	fmt.Println("found", id)
	_, err = conn.Read(make([]byte, 1))
	return err
}

func TestEachSideKnowsTheOther(t *testing.T) {
	leaks := proctest.Watch(t)
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	client := proctest.Start(t, "connect", path)
	conn, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	id, err := OfSocket(conn)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Identity{PID: client.PID(), UID: os.Getuid()}); id != want {
		t.Errorf("the server has found %v, want %v", id, want)
	}
	if err := id.CheckSameUser(); err != nil {
		t.Error(err)
	}
	want := Identity{PID: os.Getpid(), UID: os.Getuid()}
	if got := client.Expect("found "); got != want.String() {
		t.Errorf("the client has found %s, want %v", got, want)
	}
	// The identity stays when the process has gone.
	client.Kill()
	client.Wait()
	if again, err := OfSocket(conn); err != nil || again != id {
		t.Errorf("after its death: %v, %v", again, err)
	}
	conn.Close()
	if _, err := OfSocket(conn); err == nil {
		t.Error("a closed socket has a peer")
	}
	l.Close()
	leaks.Check()
}

func TestNoSocket(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if id, err := OfSocket(f); err == nil || !strings.Contains(err.Error(), "SO_PEERCRED") {
		t.Errorf("%v, %v", id, err)
	}
}

func TestOtherUser(t *testing.T) {
	id := Identity{PID: 42, UID: os.Geteuid() + 1}
	err := id.CheckSameUser()
	if !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), id.String()) {
		t.Errorf("%v", err)
	}
	if s := id.String(); s != fmt.Sprintf("process 42 of user %d", os.Geteuid()+1) {
		t.Error(s)
	}
}
