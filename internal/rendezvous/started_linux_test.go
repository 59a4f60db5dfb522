package rendezvous

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// A server that was started because nobody answered waits for the one before to let
// go of the name; any other does not.
func TestStartedServerWaitsForItsPredecessor(t *testing.T) {
	dir := runDir(t)
	listenAs(t, "a").Close()
	hold := func() (release func()) {
		fd, err := unix.Open(filepath.Join(dir, fileStem("a")+".lock"), unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		return func() { unix.Flock(fd, unix.LOCK_UN); unix.Close(fd) }
	}
	release := hold()
	if _, err := Listen(Place{}, "a"); !errors.Is(err, partywall.ErrRunning) {
		t.Fatal(err)
	}
	l := startLock(t, "a")
	server := startUnder(t, l)
	server.Say("listen a")
	time.AfterFunc(50*time.Millisecond, release)
	server.Expect("done <nil>")
	wantTaken(t, "a", false)
	l.Unlock()
	server.Kill()
	server.Wait()

	release = hold() // for longer than anybody waits
	defer release()
	l = startLock(t, "a")
	server = startUnder(t, l)
	server.Say("listen a")
	if got := server.Expect("done "); !strings.HasPrefix(got, partywall.ErrRunning.Error()) {
		t.Error(got)
	}
	wantTaken(t, "a", true) // it may try again
	l.Unlock()
}

// Whatever is in the place of the log goes: nothing is written through it.
func TestLog(t *testing.T) {
	dir := runDir(t)
	l := startLock(t, "a")
	defer l.Unlock()
	path := filepath.Join(dir, fileStem("a")+".log")
	if l.LogPath() != path {
		t.Errorf("%s, want %s", l.LogPath(), path)
	}
	precious := filepath.Join(dir, "precious")
	for _, test := range []struct {
		what  string
		plant func() error
	}{
		{"nothing", func() error { return nil }},
		{"an old one", func() error { return os.WriteFile(path, []byte("old"), 0o666) }},
		{"a link", func() error {
			return errors.Join(os.WriteFile(precious, []byte("precious"), 0o600), os.Symlink(precious, path))
		}},
		{"a FIFO", func() error { return unix.Mkfifo(path, 0o600) }},
	} {
		t.Run(test.what, func(t *testing.T) {
			if err := test.plant(); err != nil {
				t.Fatal(err)
			}
			f, err := l.Log()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteString("words"); err != nil {
				t.Fatal(err)
			}
			st, err := os.Lstat(path)
			if err != nil || st.Mode() != 0o600 {
				t.Error(st.Mode(), err)
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != "words" {
				t.Errorf("%q, %v", text, err)
			}
			os.Remove(path)
		})
	}
	if text, err := os.ReadFile(precious); err != nil || string(text) != "precious" {
		t.Errorf("%q, %v", text, err)
	}
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if f, err := l.Log(); err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
		t.Error(f, err)
	}
}
