package call_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

const (
	accessRaces   = 30
	accessListens = 2000
)

// leftByAServer checks that a killed server has left a socket, which was there to be dialled.
func leftByAServer(t *testing.T, dir string) {
	t.Helper()
	socketOf(t, dir)
}

// A socket that lies where another name's belongs is found out by the true name
// in the handshake.
func TestAccessWrongName(t *testing.T) {
	dir := runDir(t)
	complaints := serveAccess(t)
	if err := os.Rename(socketOf(t, dir), filepath.Join(dir, stem("access.other")+".sock")); err != nil {
		t.Fatal(err)
	}
	c, err := call.Dial(t.Context(), "access.other")
	if !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), `"access"`) || !strings.Contains(err.Error(), `"access.other"`) {
		t.Errorf("dialling through a wrong socket: %v, %v", c, err)
	}
	if err := <-complaints; !errors.Is(err, partywall.ErrNotFound) {
		t.Errorf("the server says: %v", err)
	}
	if c, err := call.Dial(t.Context(), accessName); !errors.Is(err, partywall.ErrNotFound) {
		t.Errorf("dialling a name whose socket has gone: %v, %v", c, err)
	}
}

// A lock file that is a link is not followed.
func TestAccessPlantedLock(t *testing.T) {
	dir := runDir(t)
	target := filepath.Join(t.TempDir(), "target")
	if err := os.Symlink(target, filepath.Join(dir, stem(accessName)+".lock")); err != nil {
		t.Fatal(err)
	}
	srv, err := call.Listen(accessName)
	if !errors.Is(err, syscall.ELOOP) {
		t.Errorf("listening with a link for a lock: %v, %v", srv, err)
	}
	if _, err := os.Lstat(target); err == nil {
		t.Errorf("the link was followed")
	}
}
