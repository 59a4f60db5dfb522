package call_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// Another user does not come near a service: not through its directory, and not
// to its socket.
func TestAccessOfAnotherUser(t *testing.T) {
	other := anotherUser(t)
	dir := runDir(t)
	complaints := serveAccess(t)
	socket := socketOf(t, dir)

	if got := other.start("access dial", accessName).Line(); !strings.HasPrefix(got, "ErrAccess ") || !strings.Contains(got, dir) {
		t.Errorf("dialling: %s", got)
	}
	if got := other.start("access serve", "access.mine").Line(); !strings.HasPrefix(got, "ErrAccess ") || !strings.Contains(got, dir) {
		t.Errorf("listening: %s", got)
	}
	if got := other.start("access knock", socket).Line(); !strings.HasPrefix(got, "connect: EACCES ") {
		t.Errorf("connecting to the socket: %s", got)
	}
	select {
	case err := <-complaints:
		t.Errorf("the server noticed: %v", err)
	default:
	}
}

// Where the directory and the socket have been opened to all, the server still
// asks the kernel who the client is.
func TestAccessOfAnotherUserToTheSocket(t *testing.T) {
	other := anotherUser(t)
	dir := runDir(t)
	complaints := serveAccess(t)
	socket := socketOf(t, dir)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(socket, 0o777)); err != nil {
		t.Fatal(err)
	}
	if got := other.start("access knock", socket).Line(); got != "closed" {
		t.Errorf("connecting to the socket: %s", got)
	}
	select {
	case err := <-complaints:
		if !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), "user 65534") {
			t.Errorf("the server says: %v", err)
		}
	case <-time.After(proctest.Watchdog):
		t.Error("the server says nothing")
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := call.Dial(t.Context(), accessName)
	if err != nil {
		t.Fatalf("its own user: %v", err)
	}
	defer c.Close()
	if c.Peer() != (call.Peer{PID: os.Getpid(), UID: os.Geteuid(), User: strconv.Itoa(os.Geteuid())}) {
		t.Errorf("the server is %+v", c.Peer())
	}
	if err := crowd(c, 1, 1, 1)[0].ask(); err != nil {
		t.Error(err)
	}
}

// A client trusts no server of another user, wherever it meets it.
func TestAccessToAnotherUsersServer(t *testing.T) {
	other := anotherUser(t)
	theirs := runDir(t)
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if got := other.start("access serve", accessName).Line(); got != "ok" {
		t.Fatalf("another user's server in its own directory: %s", got)
	}
	c, err := call.Dial(t.Context(), accessName)
	if !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), theirs) {
		t.Errorf("dialling through another user's directory: %v, %v", c, err)
	}

	// Its socket in this user's directory: only the kernel's word tells.
	socket := socketOf(t, theirs)
	mine := runDir(t)
	if err := os.Rename(socket, filepath.Join(mine, filepath.Base(socket))); err != nil {
		t.Fatal(err)
	}
	c, err = call.Dial(t.Context(), accessName)
	if !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), "user 65534") {
		t.Errorf("dialling another user's server: %v, %v", c, err)
	}
}
