package section_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// memoryGroup makes a control group whose processes may have so many bytes of memory, and returns how to put one into it.
func memoryGroup(t testing.TB, limit int) (add func(pid int)) {
	t.Helper()
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		top, file := "/sys/fs/cgroup", "memory.max"
		switch fields[1] {
		case "memory":
			top, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case "":
		default:
			continue
		}
		dir := filepath.Join(top, fields[2], fmt.Sprintf("partywall-test-%d", os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			continue
		}
		t.Cleanup(func() {
			eventually(t, "the control group is empty", func() bool { return os.Remove(dir) == nil })
		})
		if err := os.WriteFile(filepath.Join(dir, file), []byte(fmt.Sprint(limit)), 0); err != nil {
			continue
		}
		return func(pid int) {
			if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(fmt.Sprint(pid)), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Skip("this machine lets this process make no control group for memory")
	return nil
}

// A control group has no memory left for the section: the process gets an error or is killed by the kernel, as the kernel likes;
// others go on, and nothing stays.
func TestMemoryGroup(t *testing.T) {
	add := memoryGroup(t, 64<<20)
	dir, err := os.MkdirTemp("/dev/shm", "partywall-test-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("PARTYWALL_DIR", dir)
	clean(t)
	small := victim(t, "small", "group/small", time.Second)
	p := victim(t, "small", "group/other", time.Second)
	add(p.PID())
	p.Say("kind huge group/huge")
	p.Expect("kind")
	p.Say("open")
	for line := range p.Lines() {
		t.Log(line)
		if strings.HasPrefix(line, "open") {
			if strings.HasPrefix(line, "open ok") || !strings.Contains(line, `section \"group/huge\"`) {
				t.Error(line)
			}
			break
		}
	}
	p.Kill()
	p.Wait()
	goesOn(t, small)
	huge := victim(t, "huge", "group/huge", 10*time.Second) // it is in no such group
	goesOn(t, huge)
	for _, name := range []string{"group/other"} {
		open[plant](t, name).Close()
	}
	tell(t, huge, "close")
	tell(t, small, "close")
}
