package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func TestRunDirectoryIsVerified(t *testing.T) {
	mkdir := func(t *testing.T, path string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		what string
		make func(t *testing.T, path string)
		want error // of Listen; nil: it works
		says string
	}{
		{"absent", func(*testing.T, string) {}, nil, ""},
		{"right", func(t *testing.T, path string) { mkdir(t, path, 0o700) }, nil, ""},
		{"open to the group", func(t *testing.T, path string) { mkdir(t, path, 0o750) }, partywall.ErrAccess, "0750"},
		{"open to all", func(t *testing.T, path string) { mkdir(t, path, 0o777) }, partywall.ErrAccess, "0777"},
		{"sticky", func(t *testing.T, path string) { mkdir(t, path, 0o700|os.ModeSticky) }, partywall.ErrAccess, "1700"},
		{"narrower", func(t *testing.T, path string) { mkdir(t, path, 0o500) }, partywall.ErrAccess, "0500"},
		{"a link", func(t *testing.T, path string) {
			mkdir(t, path+".real", 0o700)
			if err := os.Symlink(path+".real", path); err != nil {
				t.Fatal(err)
			}
		}, partywall.ErrAccess, "link"},
		{"a file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o700); err != nil {
				t.Fatal(err)
			}
		}, partywall.ErrAccess, "not a directory"},
		{"of another user", func(t *testing.T, path string) {
			mkdir(t, path, 0o700)
			if err := os.Chown(path, 65534, -1); err != nil {
				t.Skip(err)
			}
		}, partywall.ErrAccess, "65534"},
	} {
		t.Run(test.what, func(t *testing.T) {
			leaks := proctest.Watch(t)
			dir := runDir(t)
			test.make(t, dir)
			l, err := Listen(Place{}, "a")
			if err == nil {
				l.Close()
			}
			_, derr := Dial(context.Background(), Place{}, "a")
			if test.want == nil {
				if info, serr := os.Stat(dir); err != nil || serr != nil || info.Mode().Perm() != 0o700 || !errors.Is(derr, partywall.ErrNotFound) {
					t.Errorf("%v, %v, %v", err, serr, derr)
				}
			} else {
				for _, err := range []error{err, derr} {
					if !errors.Is(err, test.want) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), test.says) {
						t.Errorf("%v", err)
					}
				}
			}
			leaks.Check()
		})
	}
}

func TestDirPath(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", "/x//y/")
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	t.Setenv("TMPDIR", "/tmp/here")
	if got := DirPath(); got != "/x/y" {
		t.Error(got)
	}
	t.Setenv("PARTYWALL_DIR", "")
	if got := DirPath(); got != "/run/user/7/partywall" {
		t.Error(got)
	}
	t.Setenv("XDG_RUNTIME_DIR", "")
	if got, want := DirPath(), fmt.Sprintf("/tmp/here/partywall-%d", os.Geteuid()); got != want {
		t.Error(got)
	}
}

// The socket's path is short however long the directory's is: unix(7) allows 107
// bytes.
func TestLongDirectory(t *testing.T) {
	dir := t.TempDir()
	for range 10 {
		if dir = filepath.Join(dir, strings.Repeat("d", 30)); os.Mkdir(dir, 0o700) != nil {
			t.Fatal(dir)
		}
	}
	t.Setenv("PARTYWALL_DIR", dir)
	listenAs(t, strings.Repeat("x", 100))
	c, err := Dial(context.Background(), Place{}, strings.Repeat("x", 100))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// wantSockets checks how many sockets there are, those of the dead among them.
func wantSockets(t *testing.T, dir string, n int) {
	t.Helper()
	if socks, _ := filepath.Glob(filepath.Join(dir, "*.sock")); len(socks) != n {
		t.Errorf("sockets: %v", socks)
	}
}
