package section_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

// What lies under a section's name is not one: the error says what it is and what to do, and what another has put there stays.
func TestStrangeFiles(t *testing.T) {
	page := make([]byte, 8192)
	garbage := bytes.Repeat([]byte("garbage "), 1024)
	head := func(magic string, version uint32) []byte {
		b := append([]byte(magic), page[8:]...)
		binary.LittleEndian.PutUint32(b[8:], version)
		return b
	}
	for _, test := range []struct {
		what string
		put  func(t *testing.T, path string) error
		is   error    // nil: it is made anew
		says []string // parts of the error
	}{
		{"a link", func(_ *testing.T, path string) error { return os.Symlink("/etc/passwd", path) }, partywall.ErrAccess, []string{"not a plain file", "remove it"}},
		{"a link to nothing", func(_ *testing.T, path string) error { return os.Symlink("nothing", path) }, partywall.ErrAccess, []string{"not a plain file", "remove it"}},
		{"a directory", func(_ *testing.T, path string) error { return os.Mkdir(path, 0o700) }, partywall.ErrAccess, []string{"not a plain file", "remove it"}},
		{"a FIFO", func(_ *testing.T, path string) error { return syscall.Mkfifo(path, 0o600) }, partywall.ErrAccess, []string{"not a plain file", "remove it"}},
		{"a socket", func(t *testing.T, path string) error {
			l, err := net.Listen("unix", path)
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		}, partywall.ErrAccess, []string{"not a plain file", "remove it"}},
		{"a file that others may read", func(_ *testing.T, path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o644))
		}, partywall.ErrAccess, []string{"mode 0644", "remove it"}},
		{"an empty file", func(_ *testing.T, path string) error { return os.WriteFile(path, nil, 0o600) }, nil, nil},
		{"zeros", func(_ *testing.T, path string) error { return os.WriteFile(path, page, 0o600) }, nil, nil},
		{"garbage", func(_ *testing.T, path string) error { return os.WriteFile(path, garbage, 0o600) }, partywall.ErrProtocol, []string{`"garbage "`, "partywall section rm"}},
		{"a newer version", func(_ *testing.T, path string) error { return os.WriteFile(path, head("PWALLSA1", 7), 0o600) }, partywall.ErrVersion, []string{"layout 7", "knows 1", "partywall section rm"}},
		{"a newer magic", func(_ *testing.T, path string) error { return os.WriteFile(path, head("PWALLSA2", 2), 0o600) }, partywall.ErrVersion, []string{"layout 2", "knows 1", "partywall section rm"}},
		{"too many entries", func(_ *testing.T, path string) error {
			b := head("PWALLSA1", 1)
			binary.LittleEndian.PutUint32(b[12:], 1025)
			return os.WriteFile(path, b, 0o600)
		}, partywall.ErrProtocol, []string{"1025 entries", "partywall section rm"}},
		{"another name's", func(_ *testing.T, path string) error {
			b := head("PWALLSA1", 1)
			binary.LittleEndian.PutUint32(b[12:], 4)
			binary.LittleEndian.PutUint32(b[20:], 4)
			copy(b[24:], "name")
			return os.WriteFile(path, b, 0o600)
		}, partywall.ErrProtocol, []string{"another name", "partywall section rm"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			clean(t)
			path, _ := files("strange")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := test.put(t, path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			for range 2 {
				s, err := section.Open[plant]("strange")
				if err == nil {
					if err := s.Store(plant{Jobs: 1}); err != nil {
						t.Error(err)
					}
					s.Close()
				}
				if test.is == nil {
					if err != nil {
						t.Error(err)
					}
					return
				}
				says(t, err, test.is, append(test.says, `section "strange"`)...)
			}
			after, _ := os.Lstat(path)
			if after == nil || after.Mode() != before.Mode() || after.Size() != before.Size() {
				t.Errorf("it is %v now", after)
			}
			os.Remove(path)
		})
	}
}

// says checks what an error is, and that it has all that is needed to do something about it.
func says(t testing.TB, err, is error, parts ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("%v, want %v", err, is)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v: it does not say %q", err, part)
		}
	}
}

// A file that another user has put there is not believed, even if this one may read and write it.
func TestForeignFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another")
	}
	for _, which := range []string{"anchor", "region"} {
		t.Run(which, func(t *testing.T) {
			clean(t)
			s := open[plant](t, "foreign")
			anchor, region := files("foreign")
			path := map[string]string{"anchor": anchor, "region": region(1)}[which]
			if err := os.Chown(path, 65534, 65534); err != nil {
				t.Fatal(err)
			}
			_, err := section.Open[plant]("foreign")
			says(t, err, partywall.ErrAccess, "belongs to user 65534", "remove it", path)
			if err := s.Store(plant{}); err != nil { // who has it open goes on
				t.Error(err)
			}
		})
	}
}

// What a region's file can be at a join, while a participant is there who has mapped the true one.
func TestStrangeRegions(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"nothing":     os.Remove,
		"empty":       func(path string) error { return os.Truncate(path, 0) },
		"no pages":    func(path string) error { return os.Truncate(path, 4097) },
		"a hole":      func(path string) error { return errors.Join(os.Truncate(path, 0), os.Truncate(path, 1<<20)) },
		"1 TiB":       func(path string) error { return os.Truncate(path, 1<<40) },
		"garbage":     func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("garbage "), 1024), 0o600) },
		"a directory": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(what, func(t *testing.T) {
			clean(t)
			p := victim(t, "large", "strange/region", time.Second)
			_, region := files("strange/region")
			if err := put(region(1)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if s, err := section.Open[bulk]("strange/region"); err == nil {
					t.Error("it can be opened")
					s.Close()
				} else if !strings.Contains(err.Error(), `section "strange/region"`) {
					t.Error(err)
				}
			}
			tell(t, p, "load")
			tell(t, p, "store", 5)
			os.RemoveAll(region(1))
			if got := tell(t, p, "close"); got != "ok" {
				t.Error(got)
			}
			if got := tell(t, p, "open"); got != "ok" {
				t.Error(got)
			}
			if got := tell(t, p, "close"); got != "ok" {
				t.Error(got)
			}
		})
	}
}

// Names are told apart by their hashes, and what is stored under one is in no other.
func TestNamesDoNotShare(t *testing.T) {
	clean(t)
	long := strings.Repeat("a", 100)
	names := []string{"a", "b", "a/b", "a.b", "a-b", "a_b", "a/", "/a", ".", "..", "../a", "a.section", "a.section.1", long, long[:99], long[:99] + "b"}
	for i := range 50 {
		names = append(names, fmt.Sprint("n", i))
	}
	var all []*section.Section[plant]
	for i, name := range names {
		s := open[plant](t, name, section.MustCreate())
		if err := s.Store(plant{Jobs: uint32(i)}); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for i, s := range all {
		var v plant
		if version := must(s.LoadTo(&v))(t); version != 1 || v.Jobs != uint32(i) {
			t.Errorf("%s: version %d, %+v", names[i], version, v)
		}
	}
	dir, _ := filepath.Glob(filepath.Join(os.Getenv("PARTYWALL_DIR"), "*"))
	if len(dir) != 2*len(names) {
		t.Errorf("%d names have %d files", len(names), len(dir))
	}
}
