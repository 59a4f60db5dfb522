package call_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/rendezvous"
)

// Under Wine, a process takes a second to start.
const (
	accessRaces   = 10
	accessListens = 20
)

// makeRunDir makes a directory as a server does, for this user alone.
func makeRunDir(t *testing.T, dir string) {
	t.Helper()
	d, err := rendezvous.OpenDir(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
}

// leftByAServer has nothing to find: a pipe ends with its server.
func leftByAServer(*testing.T, string) {}

// openTo makes a directory that belongs to this user, and that others may use.
func openTo(list string) func(path string) error {
	return func(path string) error {
		user, err := windows.GetCurrentProcessToken().GetTokenUser()
		if err != nil {
			return err
		}
		sd, err := windows.SecurityDescriptorFromString(fmt.Sprintf("O:%[1]sD:P(A;OICI;FA;;;%[1]s)"+list, user.User.Sid))
		if err != nil {
			return err
		}
		dacl, _, err := sd.DACL()
		if err != nil {
			return err
		}
		return errors.Join(os.Mkdir(path, 0o700), windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil))
	}
}

// Whatever somebody has put where the run directory belongs is refused.
func TestAccessPlantedRunDirectory(t *testing.T) {
	for _, c := range []struct {
		name         string
		plant        func(path string) error
		listen, dial error
		hasAdvice    bool // in Dial's error too
	}{
		{"open to all", openTo("(A;OICI;FA;;;WD)"), partywall.ErrAccess, partywall.ErrAccess, true},
		{"readable by all", openTo("(A;OICI;FR;;;WD)"), partywall.ErrAccess, partywall.ErrAccess, true},
		{"open to users", openTo("(A;OICI;FA;;;BU)"), partywall.ErrAccess, partywall.ErrAccess, true},
		{"a plain file", func(path string) error { return os.WriteFile(path, nil, 0o600) }, partywall.ErrAccess, partywall.ErrAccess, true},
		{"below nothing", func(path string) error { return os.Remove(filepath.Dir(path)) }, fs.ErrNotExist, partywall.ErrNotFound, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "parent", "run")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := c.plant(path); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PARTYWALL_DIR", path)
			leaks := proctest.Watch(t)
			srv, listenErr := call.Listen("planted")
			conn, dialErr := call.Dial(t.Context(), "planted")
			if srv != nil || conn != nil {
				t.Fatal(srv, conn)
			}
			for _, e := range []struct {
				what      string
				got, want error
			}{{"Listen", listenErr, c.listen}, {"Dial", dialErr, c.dial}} {
				t.Logf("%s: %v", e.what, e.got)
				if !errors.Is(e.got, e.want) {
					t.Errorf("%s: %v", e.what, e.got)
				}
				if !strings.Contains(e.got.Error(), path) {
					t.Errorf("%s does not name %s: %v", e.what, path, e.got)
				}
				if (c.hasAdvice || e.what == "Listen") && !strings.Contains(e.got.Error(), "PARTYWALL_DIR") {
					t.Errorf("%s does not say what to do: %v", e.what, e.got)
				}
			}
			leaks.Check()
		})
	}
}

// The name that a lock file has, whatever else lies there, is a plain file's.
func TestAccessPlantedLock(t *testing.T) {
	dir := runDir(t)
	if err := os.Mkdir(filepath.Join(dir, stem(accessName)+".lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if srv, err := call.Listen(accessName); !errors.Is(err, partywall.ErrAccess) {
		t.Errorf("listening with a directory for a lock: %v, %v", srv, err)
	}
	if c, err := call.Dial(t.Context(), accessName); !errors.Is(err, partywall.ErrAccess) {
		t.Errorf("dialling with a directory for a lock: %v, %v", c, err)
	}
}
