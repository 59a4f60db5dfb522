package call_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// Whatever somebody has put where the run directory belongs is refused, and
// left as it is.
func TestAccessPlantedRunDirectory(t *testing.T) {
	for _, c := range []struct {
		name      string
		asRoot    bool
		plant     func(path string) error
		listen    error
		dial      error
		hasAdvice bool // in Dial's error too
	}{
		{"another user's", true, func(path string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.Chown(path, nobody, nobody))
		}, partywall.ErrAccess, partywall.ErrAccess, true},
		{"a link to a good one", false, func(path string) error {
			return errors.Join(os.Mkdir(path+".good", 0o700), os.Symlink(path+".good", path))
		}, partywall.ErrAccess, partywall.ErrAccess, true},
		{"a link to nothing", false, func(path string) error {
			return os.Symlink(path+".none", path)
		}, partywall.ErrAccess, partywall.ErrAccess, true},
		{"open to all", false, func(path string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o777))
		}, partywall.ErrAccess, partywall.ErrAccess, true},
		{"readable by a group", false, func(path string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o750))
		}, partywall.ErrAccess, partywall.ErrAccess, true},
		{"a plain file", false, func(path string) error {
			return os.WriteFile(path, nil, 0o700)
		}, partywall.ErrAccess, partywall.ErrAccess, true},
		{"below nothing", false, func(path string) error {
			return os.Remove(filepath.Dir(path))
		}, fs.ErrNotExist, partywall.ErrNotFound, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.asRoot && os.Geteuid() != 0 {
				t.Skipf("NOT TESTED: another user's directory. Only root can make one; run this test as root")
			}
			path := filepath.Join(t.TempDir(), "parent", "run")
			if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := c.plant(path); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PARTYWALL_DIR", path)
			warmPoller(t)
			leaks := proctest.Watch(t)

			srv, listenErr := call.Listen("planted")
			conn, dialErr := call.Dial(t.Context(), "planted")
			if srv != nil || conn != nil {
				t.Fatal(srv, conn)
			}
			t.Logf("Listen: %v", listenErr)
			t.Logf("Dial: %v", dialErr)
			for _, e := range []struct {
				what      string
				got, want error
			}{{"Listen", listenErr, c.listen}, {"Dial", dialErr, c.dial}} {
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
			for _, made := range []string{path + ".none", filepath.Join(path+".good", "*")} {
				if files, _ := filepath.Glob(made); len(files) > 0 {
					t.Errorf("something was made through the link: %q", files)
				}
			}
			leaks.Check()
		})
	}
}

// A run directory that is missing is made, for this user alone.
func TestAccessMadeRunDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	t.Setenv("PARTYWALL_DIR", dir)
	before := syscall.Umask(0) // which would leave everything open
	defer syscall.Umask(before)
	srv, err := call.Listen("made")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	st, err := os.Lstat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode() != os.ModeDir|0o700 {
		t.Errorf("the run directory has mode %v", st.Mode())
	}
	locks, err := filepath.Glob(filepath.Join(dir, "*.lock"))
	if err != nil || len(locks) != 1 {
		t.Fatal(locks, err)
	}
	if st, err := os.Lstat(locks[0]); err != nil || st.Mode() != 0o600 {
		t.Errorf("the lock file has mode %v, %v", st.Mode(), err)
	}
}

// A directory below one with the set-group-id bit inherits that bit, which gives
// nobody access.
func TestAccessInheritedBits(t *testing.T) {
	parent := t.TempDir()
	if err := os.Chmod(parent, os.ModeSetgid|0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARTYWALL_DIR", filepath.Join(parent, "run"))
	srv, err := call.Listen("inherited")
	if err != nil {
		t.Fatal(err)
	}
	srv.Close()
}
