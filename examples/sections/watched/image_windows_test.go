package watched

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/pe"
	"github.com/partywall/partywall/section"
)

// The article's way to share memory, a section of a DLL, with what this one's do: a section that is
// watched in the memory of a section that is shared.

// buildDLL makes a DLL with room for a section.
func buildDLL(t *testing.T) (path string) {
	t.Helper()
	room, err := pe.ParseVar("SectionA:room:bytes[16384]")
	if err != nil {
		t.Fatal(err)
	}
	d := pe.DLL{Name: "SectionDLL.dll", Vars: []pe.Var{room}}
	path = filepath.Join(t.TempDir(), d.Name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := d.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	return path
}

func init() { roles["image"] = imageRole }

// openImage opens a section in a DLL's.
func openImage(path string) (s *section.Section[Data], done func(), err error) {
	image, err := pe.LoadShared(path)
	if err != nil {
		return nil, nil, err
	}
	memory, err := image.Section("SectionA")
	if err == nil {
		s, err = section.Open[Data]("sections/image", section.In(memory.Bytes()))
	}
	if err != nil {
		image.Close()
		return nil, nil, err
	}
	return s, func() { s.Close(); image.Close() }, nil
}

// imageRole adds to the section's value, as often as it is told, or until it is killed.
func imageRole(args []string) error {
	s, done, err := openImage(args[0])
	if err != nil {
		return err
	}
	defer done()
	times, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for range times {
		err := s.Update(context.Background(), func(d *Data) error {
			d.Value++
			d.From = int32(os.Getpid())
			return nil
		})
		if err != nil {
			return err
		}
	}
	fmt.Println("done")
	return nil
}

// Processes that are killed at any moment, their locks and numbers with them, are no harm to those that live on.
func TestSectionOfImage(t *testing.T) {
	path := buildDLL(t)
	s, done, err := openImage(path)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	leaks := proctest.Watch(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var group sync.WaitGroup
	var known atomic.Uint64
	group.Go(func() {
		for c, err := range s.Watch(ctx) {
			if ctx.Err() != nil {
				return
			}
			if err != nil || c.Version != uint64(c.Value.Value) {
				t.Errorf("%+v, %v", c, err)
				return
			}
			known.Store(c.Version)
		}
	})
	for i := range 20 {
		p := proctest.Start(t, "image", path, "1000000000")
		p.Expect("ready")
		time.Sleep(time.Duration(i%7) * time.Millisecond)
		p.Kill()
		if err := p.Wait(); err == nil {
			t.Error("it has ended of itself")
		}
	}
	a, b := proctest.Start(t, "image", path, "500"), proctest.Start(t, "image", path, "500")
	before, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*proctest.Process{a, b} {
		p.Expect("done")
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	var last Data
	version, err := s.LoadTo(&last)
	if err != nil || last.Value < before.Value || uint64(last.Value) != version || last.Value < 1000 {
		t.Errorf("version %d, %+v, %v; before them %+v", version, last, err, before)
	}
	for until := time.Now().Add(proctest.Watchdog); known.Load() != version; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("a watcher has seen version %d of %d, and hangs", known.Load(), version)
		}
	}
	cancel()
	group.Wait()
	leaks.Check()
}
