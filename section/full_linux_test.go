package section_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

func init() { conformRoles["limited"] = limitedRole }

// limitedRole is a victim whose process can make no file longer than so many bytes.
func limitedRole(g ground, name string, args []string) error {
	var most uint64
	fmt.Sscan(args[2], &most)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		return err
	}
	return victimRole(g, name, args)
}

// listing is what is in the run directory.
func listing(t testing.TB) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(os.Getenv("PARTYWALL_DIR"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// There is no memory for an anchor, a region, or a longer region: the error says so, nothing is left, and who is there goes on.
func noRoom(t *testing.T, p *proctest.Process, name, why string) {
	t.Helper()
	check := func(command string, got string) {
		t.Helper()
		if !strings.HasPrefix(got, why+" ") || !strings.Contains(got, "section ") {
			t.Errorf("%s: %s, want %s", command, got, why)
		}
	}
	before := listing(t)
	for range 3 {
		p.Say("open") // too large
		check("open", p.Expect("open"))
	}
	if now := listing(t); !slices.Equal(now, before) {
		t.Errorf("there is %v, and was %v", now, before)
	}
}

func TestFileSizeLimit(t *testing.T) {
	for what, most := range map[string]int{"no anchor": 4096, "an anchor": 40960} {
		t.Run(what, func(t *testing.T) {
			clean(t)
			small := victim(t, "small", "limit/small", time.Second)
			p := ground{kind: "files"}.start(t, "limited", "limit/large", "large", "1s", fmt.Sprint(most))
			if got := p.Expect("open"); !strings.HasPrefix(got, "FileTooLarge ") {
				t.Fatal(got)
			}
			noRoom(t, p, "limit/large", "FileTooLarge")
			if err := p.Wait(); err != nil {
				t.Error(err)
			}
			goesOn(t, small)
			// It cannot make a section grow, and has left nothing that keeps others from doing so.
			p = ground{kind: "files"}.start(t, "limited", "limit/small", "large", "1s", fmt.Sprint(most))
			if got := p.Expect("open"); !strings.HasPrefix(got, "FileTooLarge ") {
				t.Fatal(got)
			}
			noRoom(t, p, "limit/small", "FileTooLarge")
			goesOn(t, small)
			wide := victim(t, "wide", "limit/small", time.Second)
			goesOn(t, small, wide)
			for _, p := range []*proctest.Process{small, wide} {
				if got := tell(t, p, "close"); got != "ok" {
					t.Error(got)
				}
			}
		})
	}
}

// goesOn checks that victims can do everything.
func goesOn(t testing.TB, victims ...*proctest.Process) {
	t.Helper()
	for i, p := range victims {
		for _, command := range []string{"store", "load", "update", "join"} {
			if got := tell(t, p, command, i+1); !strings.HasPrefix(got, "ok") {
				t.Errorf("%s: %s", command, got)
			}
		}
	}
}

// A file system of so many pages in which sections lie.
func smallDir(t testing.TB, pages int) {
	t.Helper()
	dir := t.TempDir()
	size := fmt.Sprintf("size=%d,mode=0700", pages*os.Getpagesize())
	if err := syscall.Mount("partywall-test", dir, "tmpfs", 0, size); err != nil {
		t.Skipf("this machine lets nobody mount a file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	t.Setenv("PARTYWALL_DIR", dir)
}

// The file system of the run directory is full, at each size that lets a section be made in part.
func TestFileSystemIsFull(t *testing.T) {
	anchor := (384 + 1024*32 + os.Getpagesize() - 1) / os.Getpagesize()
	for pages := anchor + 1; pages < 2*anchor+4; pages++ { // tmpfs takes a size of 0 for none
		t.Run(fmt.Sprint(pages), func(t *testing.T) {
			smallDir(t, pages)
			clean(t)
			small := victim(t, "small", "full/small", time.Second)
			for _, name := range []string{"full/large", "full/small"} { // a new one, and one that would have to grow
				p := ground{kind: "files"}.start(t, "victim", name, "large", "1s")
				if got := p.Expect("open"); !strings.HasPrefix(got, "NoSpace ") {
					t.Fatal(got)
				}
				noRoom(t, p, name, "NoSpace")
				if err := p.Wait(); err != nil {
					t.Error(err)
				}
				goesOn(t, small)
			}
			if got := tell(t, small, "close"); got != "ok" {
				t.Error(got)
			}
		})
	}
	// Not even the small one can be made.
	t.Run("too full", func(t *testing.T) {
		smallDir(t, anchor)
		clean(t)
		p := ground{kind: "files"}.start(t, "victim", "full/small", "small", "1s")
		if got := p.Expect("open"); !strings.HasPrefix(got, "NoSpace ") {
			t.Fatal(got)
		}
		noRoom(t, p, "full/small", "NoSpace")
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	})
}
