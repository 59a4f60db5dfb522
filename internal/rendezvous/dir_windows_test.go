package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
)

func openTestDir(t *testing.T) *Dir {
	t.Helper()
	d, err := OpenDir(filepath.Join(t.TempDir(), "run"), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func openTestFile(t *testing.T, d *Dir, name string, flags int) *os.File {
	t.Helper()
	f, err := d.Open(name, flags)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func list(t *testing.T, d *Dir) []string {
	t.Helper()
	files, err := d.Files()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

func TestDirPath(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", "")
	t.Setenv("LOCALAPPDATA", `C:\some\where`)
	if got := DirPath(); got != `C:\some\where\partywall` {
		t.Error(got)
	}
	t.Setenv("LOCALAPPDATA", "")
	if got := DirPath(); !strings.HasSuffix(got, `\Local\partywall`) {
		t.Errorf("without the variable: %q", got)
	}
	t.Setenv("PARTYWALL_DIR", `C:\else\..\where`)
	if got := DirPath(); got != `C:\where` {
		t.Error(got)
	}
}

func TestOpenDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	if _, err := OpenDir(path, false); !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	if _, err := OpenDir(filepath.Join(path, "below"), true); err == nil || !strings.Contains(err.Error(), "the directory above it is missing") {
		t.Error(err)
	}
	for range 2 {
		d, err := OpenDir(path, true)
		if err != nil {
			t.Fatal(err)
		}
		if d.Path() != path {
			t.Error(d.Path())
		}
		if err := os.Rename(path, path+"2"); err == nil {
			t.Log("this system renames a directory that somebody has open")
			os.Rename(path+"2", path)
		}
		for range 2 {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(file, true); !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
}

func TestOpenDirThroughLink(t *testing.T) {
	path, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no links here:", err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsDir() {
		t.Skip("this system does not say what a link is (Wine)", err)
	}
	if d, err := OpenDir(link, true); !errors.Is(err, partywall.ErrAccess) {
		t.Error(d, err)
	}
}

func TestFiles(t *testing.T) {
	d := openTestDir(t)
	if _, err := d.Open("a", os.O_RDWR); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	a := openTestFile(t, d, "a", os.O_RDWR|os.O_CREATE)
	if _, err := d.Open("a", os.O_RDWR|os.O_CREATE|os.O_EXCL); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
	if _, err := a.WriteString("text"); err != nil {
		t.Error(err)
	}
	r := openTestFile(t, d, "a", os.O_RDONLY)
	if _, err := r.WriteString("text"); err == nil {
		t.Error("written through a handle for reading")
	}
	openTestFile(t, d, "b", os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if got := list(t, d); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	for range 3 {
		again := openTestFile(t, d, "a", os.O_RDWR|os.O_CREATE)
		if !d.Same("a", a) || !d.Same("a", again) || !d.Same("a", r) || d.Same("b", a) || d.Same("c", a) {
			t.Error("a file is not the same, or another is")
		}
	}
	if err := os.Mkdir(filepath.Join(d.Path(), "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open("directory", os.O_RDWR); !errors.Is(err, partywall.ErrAccess) {
		t.Error(err)
	}
}

// A name is free when its file has been removed, whoever has that.
func TestRemove(t *testing.T) {
	d := openTestDir(t)
	a := openTestFile(t, d, "a", os.O_RDWR|os.O_CREATE)
	if err := a.Truncate(int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	r, err := region.MapFile(a, int64(os.Getpagesize()), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if got := list(t, d); len(got) != 0 || d.Same("a", a) {
		t.Error(got)
	}
	b := openTestFile(t, d, "a", os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if d.Same("a", a) || !d.Same("a", b) {
		t.Error("a new file is the same")
	}
	r.Bytes()[0] = 1
	r.Close()
	a.Close()
	b.Close()
	for range 2 {
		if err := d.Remove("a"); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(d.Path())
	if err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// A program that keeps others from a file for a moment is waited for, and not for ever.
func TestFileIsBusy(t *testing.T) {
	d := openTestDir(t)
	openTestFile(t, d, "a", os.O_RDWR|os.O_CREATE).Close()
	busy := func() (free func()) {
		name, err := windows.UTF16PtrFromString(filepath.Join(d.Path(), "a"))
		if err != nil {
			t.Fatal(err)
		}
		handle, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return func() { windows.CloseHandle(handle) }
	}
	free := busy()
	if _, err := d.Open("a", os.O_RDWR); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		t.Error(err)
	}
	if err := d.Remove("a"); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		t.Error(err)
	}
	time.AfterFunc(10*time.Millisecond, free)
	openTestFile(t, d, "a", os.O_RDWR).Close()
	time.AfterFunc(10*time.Millisecond, busy())
	if err := d.Remove("a"); err != nil {
		t.Error(err)
	}
}

func TestStranger(t *testing.T) {
	const me, other = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
	user, err := windows.StringToSid(me)
	if err != nil {
		t.Fatal(err)
	}
	for list, want := range map[string]string{
		"O:" + me + "D:P(A;OICI;FA;;;" + me + ")":           "",
		"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;FA;;;OW)": "",
		"D:AI(A;OICIIO;GA;;;CO)(A;ID;FA;;;" + me + ")":      "",
		"D:(A;;FR;;;WD)": "WD",
		"D:(A;;FA;;;" + me + ")(A;;FR;;;" + other + ")": other,
		"D:(D;;FA;;;WD)(A;;FA;;;" + me + ")":            "",
		`D:(XA;;FX;;;S-1-1-0;(@User.Title=="PM"))`:      "S-1-1-0",
		"D:(A;;FR;;;strange)":                           "strange",
		"D:P":                                           "",
	} {
		if got := stranger(list, user, nil); got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
	// A group's directory lets the group in, and nobody else; so does its pipe.
	group, err := windows.StringToSid("S-1-5-32-545")
	if err != nil {
		t.Fatal(err)
	}
	for _, access := range []string{GroupDir, GroupPipe} {
		list := fmt.Sprintf(access, user, group)
		if _, err := windows.SecurityDescriptorFromString(list); err != nil {
			t.Errorf("%s: %v", list, err)
		}
		list, _, _ = strings.Cut(list, "S:(") // who lets in is the first part
		if got := stranger(list, user, group); got != "" {
			t.Errorf("%s: %s", list, got)
		}
		if got := stranger(list, user, nil); got != group.String() {
			t.Errorf("%s: %q is let in without the group", list, got)
		}
	}
}

// A directory that others may use is refused.
func TestOpenToOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	everybody, err := Private(PrivateDir + "(A;OICI;FR;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	if err := windows.CreateDirectory(name, everybody); err != nil {
		t.Fatal(err)
	}
	if d, err := OpenDir(path, true); !errors.Is(err, partywall.ErrAccess) || !strings.Contains(err.Error(), "WD may use it too") {
		t.Error(d, err)
	}
}
