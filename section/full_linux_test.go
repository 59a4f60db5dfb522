package section_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func init() { conformRoles["full"] = fullRole }

// fullRole opens sections where files may have only so many bytes.
func fullRole(_ ground, name string, args []string) error {
	var limit uint64
	fmt.Sscan(args[0], &limit)
	// Only the soft limit, so that the process can lift it again.
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: was.Max}); err != nil {
		return err
	}
	if s, err := section.Open[large](name); !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), `"`+name+`"`) {
		return fmt.Errorf("with files of at most %d bytes: %v, %w", limit, s, errors.Join(err))
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	s, err := section.Open[large](name)
	if err != nil {
		return fmt.Errorf("without the limit: %w", err)
	}
	defer s.Close()
	_, err = s.StoreFrom(new(large))
	return err
}

// What the system does not give is an error of Open, and no fault later; nothing of it is left behind.
func TestFileSizeLimit(t *testing.T) {
	for _, limit := range []int{0, 4096, 40_000, 1 << 20} { // the anchor does not fit, or the region
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			clean(t)
			g := ground{kind: "files"}
			other := on[plant](t, g, "full/other") // those that are there go on
			if err := g.start(t, "full", "full/limited", fmt.Sprint(limit)).Wait(); err != nil {
				t.Error(err)
			}
			if err := other.Store(plant{Jobs: 1}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A full file system is an error that says so. What was there goes on, growth that has no room leaves it as it was, and once there
// is room again everything works.
func TestFullFileSystem(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=256k,mode=0700"); err != nil {
		t.Skipf("this machine does not let root mount a file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, 0); err != nil {
			t.Error(err)
		}
	})
	dir := section.Dir(filepath.Join(mount, "run"))
	leaks := proctest.Watch(t)
	s, err := section.Open[[]byte]("full", dir, section.MaxSize(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), mount) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = section.Open[large]("large", dir)
	refused("a section that does not fit", err)
	_, err = section.Open[[]byte]("full", dir, section.MaxSize(1<<20))
	refused("growth that does not fit", err)
	// A file of somebody else's takes all that is left.
	hog := filepath.Join(mount, "hog")
	f, err := os.Create(hog)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	_, err = section.Open[uint32]("small", dir)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("without any room: %v", err)
	}
	for i := range 100 {
		if err := s.Store([]byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := s.Load(); err != nil || string(v) != "99" {
		t.Errorf("%q, %v", v, err)
	}
	if err := os.Remove(hog); err != nil {
		t.Fatal(err)
	}
	small, err := section.Open[uint32]("small", dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(small.Store(7), small.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(mount, "run", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	leaks.Check()
}
