package rendezvous

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// What a lock file says is believed only if its name says the same, and a server
// puts right what is wrong.
func TestNamesAreNotTrusted(t *testing.T) {
	long := strings.Repeat("y", partywall.MaxName+1)
	for _, test := range []struct{ what, note string }{
		{"nothing", ""},
		{"the name alone", "a"},
		{"another name", "b\n"},
		{"two lines", "a\nb\n"},
		{"a space", "a \n"},
		{"a zero", "a\x00\n"},
		{"an escape", "\x1b[2J\n"},
		{"a path", "../a\n"},
		{"no name at all", "A\n"},
		{"too long a name", long + "\n"},
		{"a megabyte", "a\n" + strings.Repeat("a\n", 1<<19)},
		{"a megabyte of zeros", string(make([]byte, 1<<20))},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := runDir(t)
			l := listenAs(t, "a")
			listenAs(t, "other")
			lock := filepath.Join(dir, fileStem("a")+".lock")
			if err := os.WriteFile(lock, []byte(test.note), 0o600); err != nil {
				t.Fatal(err)
			}
			wantNames(t, dir, "other")
			// It is for people: a dial does not care.
			c, err := Dial(context.Background(), Place{}, "a")
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			l.Close()
			listenAs(t, "a")
			wantNames(t, dir, "a", "other")
			if note, err := os.ReadFile(lock); err != nil || string(note) != "a\n" {
				t.Errorf("%q, %v", note, err)
			}
		})
	}
}

// A terabyte of nothing is not read.
func TestNamesHugeLockFile(t *testing.T) {
	dir := runDir(t)
	l := listenAs(t, "a")
	lock := filepath.Join(dir, fileStem("a")+".lock")
	if err := os.Truncate(lock, 1<<40); err != nil {
		t.Skip(err)
	}
	wantNames(t, dir)
	l.Close()
	listenAs(t, "a")
	wantNames(t, dir, "a")
	if st, err := os.Stat(lock); err != nil || st.Size() != 2 {
		t.Error(st, err)
	}
}

func TestNamesOfAnother(t *testing.T) {
	for _, test := range []struct {
		what  string
		spoil func(path string) error
	}{
		{"open to all", func(path string) error { return os.Chmod(path, 0o777) }},
		{"a link", func(path string) error {
			return errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path))
		}},
		{"a file", func(path string) error {
			return errors.Join(os.Rename(path, path+".real"), os.WriteFile(path, nil, 0o700))
		}},
		{"of another user", func(path string) error { return os.Chown(path, 65534, -1) }},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := runDir(t)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			leaks := proctest.Watch(t)
			if err := test.spoil(dir); errors.Is(err, os.ErrPermission) {
				t.Skip("NOT TESTED: ", err)
			} else if err != nil {
				t.Fatal(err)
			}
			if got, err := Names(Place{Dir: dir}); !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), dir) {
				t.Errorf("Names: %v, %v", got, err)
			}
			if l, err := TryStartLock(Place{Dir: dir}, "a"); !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), dir) {
				t.Errorf("TryStartLock: %v, %v", l, err)
			}
			leaks.Check()
		})
	}
}

// FuzzSignature has lock files say what they like: they name what they are called
// after, or nothing.
func FuzzSignature(f *testing.F) {
	f.Add([]byte("a\n"))
	f.Add([]byte("a\na\n"))
	f.Add([]byte("\n"))
	f.Add(bytes.Repeat([]byte("x"), partywall.MaxName+1))
	d := &Dir{path: f.TempDir()}
	var err error
	if d.fd, err = unix.Open(d.path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		f.Fatal(err)
	}
	defer d.Close()
	f.Fuzz(func(t *testing.T, note []byte) {
		want := strings.TrimSuffix(string(note), "\n")
		lock := filepath.Join(d.path, fileStem(want)+".lock")
		if err := os.WriteFile(lock, note, 0o600); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(lock)
		name, ok := d.signature(fileStem(want))
		if good := string(note) == want+"\n" && partywall.CheckName(want) == nil; ok != good || ok && name != want {
			t.Errorf("%q names %q, %v", note, name, ok)
		}
	})
}
