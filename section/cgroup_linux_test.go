package section_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/partywall/partywall/section"
)

func init() { conformRoles["cgroup"] = cgroupRole }

// cgroupRole moves itself into a cgroup, and opens a section that is larger than the memory there.
func cgroupRole(_ ground, name string, args []string) error {
	if err := os.WriteFile(filepath.Join(args[0], "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return err
	}
	s, err := section.Open[huge](name, section.Dir(args[1]))
	if err == nil {
		return errors.Join(errors.New("it is there"), s.Close())
	}
	if !errors.Is(err, syscall.ENOMEM) && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

// newCgroup makes a cgroup with 64 MiB of memory, of whichever version the machine has.
func newCgroup(t *testing.T) string {
	t.Helper()
	for _, kind := range []struct{ root, limit, swap string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max", "memory.swap.max"},
	} {
		dir := filepath.Join(kind.root, "partywall-test-"+strconv.Itoa(os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(dir) })
		if os.WriteFile(filepath.Join(dir, kind.limit), []byte("67108864"), 0) == nil {
			_ = os.WriteFile(filepath.Join(dir, kind.swap), []byte("0"), 0) // where there is swap
			return dir
		}
	}
	t.Skip("this machine does not let this user make a memory cgroup")
	return ""
}

// Where a cgroup bounds the memory, the kernel kills who asks for more, or says no; whichever it does, the next finds the name free,
// and nothing stays.
func TestMemoryCgroup(t *testing.T) {
	group := newCgroup(t)
	run, err := os.MkdirTemp("/dev/shm", "partywall-test-")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(run)
	dir := section.Dir(run)
	other := on[plant](t, ground{kind: "files"}, "cgroup/other", dir)
	g := ground{kind: "files"}
	p := g.start(t, "cgroup", "cgroup/huge", group, run)
	if err := p.Wait(); err != nil && err.Error() != "signal: killed" {
		t.Error(err)
	}
	s := on[uint32](t, g, "cgroup/huge", dir, section.MustCreate())
	if err := errors.Join(s.Store(7), other.Store(plant{Jobs: 7}), s.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(run, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
