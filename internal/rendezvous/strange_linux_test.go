package rendezvous

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// What is no plain file where a lock file belongs is neither waited for nor
// followed: not by Names, which passes it over, and not by whoever would lock it.
func TestStrangeLockFiles(t *testing.T) {
	for _, test := range []struct {
		what  string
		plant func(path string) error
	}{
		{"a FIFO", func(path string) error { return unix.Mkfifo(path, 0o600) }},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o700) }},
		{"a link", func(path string) error {
			return errors.Join(os.WriteFile(path+".real", []byte("a\n"), 0o600), os.Symlink(path+".real", path))
		}},
		{"a link to nothing", func(path string) error { return os.Symlink(path+".none", path) }},
		{"a link to itself", func(path string) error { return os.Symlink(path, path) }},
		{"a socket", func(path string) error {
			s, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err == nil {
				s.SetUnlinkOnClose(false)
				err = s.Close()
			}
			return err
		}},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := runDir(t)
			listenAs(t, "other")
			stem := filepath.Join(dir, fileStem("a"))
			socket, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: stem + ".sock", Net: "unixpacket"})
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			leaks := proctest.Watch(t)
			if err := errors.Join(test.plant(stem+".lock"), test.plant(stem+".start")); err != nil {
				t.Fatal(err)
			}
			wantNames(t, dir, "other")
			if l, err := Listen(Place{}, "a"); !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), stem+".lock") {
				t.Errorf("Listen: %v, %v", l, err)
			}
			if l, err := TryStartLock(Place{}, "a"); !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), stem+".start") {
				t.Errorf("TryStartLock: %v, %v", l, err)
			}
			if pid := StartingPID(Place{}, "a"); pid != 0 {
				t.Error(pid)
			}
			if _, err := os.Lstat(stem + ".lock.none"); err == nil {
				t.Error("something was made through the link")
			}
			leaks.Check()
		})
	}
}

// What is no socket, and a socket of another kind, does not upset the list.
func TestStrangeSockets(t *testing.T) {
	dir := runDir(t)
	listenAs(t, "other")
	for name, plant := range map[string]func(path string) error{
		"file":      func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"fifo":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":      func(path string) error { return os.Symlink(fileStem("other")+".sock", path) },
		"absent":    func(string) error { return nil },
	} {
		stem := filepath.Join(dir, fileStem(name))
		if err := errors.Join(os.WriteFile(stem+".lock", []byte(name+"\n"), 0o600), plant(stem+".sock")); err != nil {
			t.Fatal(err)
		}
	}
	for _, stray := range []string{".sock", "stray.sock", "stray"} {
		if err := os.WriteFile(filepath.Join(dir, stray), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, dir, "other")
}
