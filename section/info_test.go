package section_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

// describe is Describe in a test where it works.
func describe(t *testing.T, name string) section.Info {
	t.Helper()
	return must(section.Describe(name))(t)
}

// shown is all that can be seen of an Info.
func shown(i section.Info) string {
	text, err := json.Marshal(i)
	return fmt.Sprint(string(text), err, i.Err, i.Fields())
}

// What a section says of itself, from within and from outside.
func TestInfo(t *testing.T) {
	leaks := proctest.Watch(t)
	before := time.Now()
	s := open[plant](t, "info/one")
	i := describe(t, "info/one")
	if i.Name != "info/one" || i.Form != "fixed" || i.Size != 48 || i.Version != 0 || i.Generation != 1 ||
		i.Kept || i.Left || i.Writer != 0 || i.Signature != "{Temperature float64, Jobs uint32, Running bool, Name [32]uint8}" {
		t.Errorf("%+v", i)
	}
	if len(i.Handles) != 1 || i.Handles[0].PID != os.Getpid() || i.Handles[0].ReadOnly || i.Handles[0].Watchers != 0 {
		t.Errorf("handles %+v", i.Handles)
	}
	if i.Opened.Before(before.Add(-time.Second)) || time.Now().Before(i.Opened) {
		t.Errorf("opened %v", i.Opened)
	}
	if files := must(filepath.Glob(i.File + "*"))(t); len(files) != 2 || i.Memory < int64(i.Size) {
		t.Errorf("files %q, memory %d", files, i.Memory)
	}

	p := ground{kind: "files"}.start(t, "hold", "info/one", "5")
	p.Expect("ready")
	r := open[plant](t, "info/one", section.ReadOnly())
	ctx, cancel := context.WithCancel(context.Background())
	got, _ := changes(ctx, r)
	next(t, got)
	i = must(s.Info())(t)
	if i.Version != 1 || i.Writer != p.PID() || i.Readers() != 1 || i.Writers() != 2 || i.Watchers() != 1 {
		t.Errorf("from within: %+v", i)
	}
	if from := describe(t, "info/one"); shown(from) != shown(i) {
		t.Errorf("from outside %+v, from within %+v", from, i)
	}
	cancel()
	p.Kill()
	if err := p.Wait(); err == nil {
		t.Error("it was killed, and says nothing of it")
	}
	if i = describe(t, "info/one"); i.Writer != 0 || i.Writers() != 1 {
		t.Errorf("with a writer that was killed: %+v", i)
	}
	r.Close()
	s.Close()
	if _, err := s.Info(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := section.Describe("info/one"); !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	if _, err := section.Describe("Info"); !errors.Is(err, partywall.ErrName) {
		t.Error(err)
	}
	leaks.Check()
}

// Who opens the section after its last writer has gone is not taken for that.
func TestInfoOfTheNext(t *testing.T) {
	first := open[plant](t, "info/next")
	second := open[plant](t, "info/next")
	if err := second.Store(plant{}); err != nil {
		t.Fatal(err)
	}
	if i := describe(t, "info/next"); i.Writer != os.Getpid() {
		t.Errorf("%+v", i)
	}
	second.Close()
	open[plant](t, "info/next")
	if i := describe(t, "info/next"); i.Writer != 0 || i.Writers() != 2 {
		t.Errorf("%+v", i)
	}
	if err := first.Store(plant{}); err != nil {
		t.Fatal(err)
	}
	if i := describe(t, "info/next"); i.Writer != os.Getpid() {
		t.Errorf("%+v", i)
	}
}

// The forms, and what growing changes.
func TestInfoForms(t *testing.T) {
	open[[]byte](t, "info/bytes", section.MaxSize(100))
	open[map[string]int](t, "info/document")
	type small struct{ A uint32 }
	open[small](t, "info/grown")
	open[struct {
		A uint32
		B float64
	}](t, "info/grown")
	for name, want := range map[string]section.Info{
		"info/bytes":    {Form: "bytes", Signature: "bytes", Size: 100, Generation: 1},
		"info/document": {Form: "document", Signature: "map[string]int64", Size: section.DefaultMaxSize, Generation: 1},
		"info/grown":    {Form: "fixed", Signature: "{A uint32, B float64}", Size: 16, Generation: 2},
	} {
		i := describe(t, name)
		if i.Form != want.Form || i.Signature != want.Signature || i.Size != want.Size || i.Generation != want.Generation {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

// List finds sections that are open, kept, or left, and what is none.
func TestListAndRemove(t *testing.T) {
	leaks := proctest.Watch(t)
	dir := filepath.Join(t.TempDir(), "run")
	in := section.Dir(dir)
	list := func() (text string) {
		for _, i := range must(section.List(in))(t) {
			text += fmt.Sprintf("%s kept=%v left=%v handles=%d err=%v\n", i.Name, i.Kept, i.Left, len(i.Handles), i.Err != nil)
		}
		return text
	}
	if got := list(); got != "" {
		t.Errorf("without a directory: %s", got)
	}
	a := open[uint32](t, "z/open", in)
	open[plant](t, "a/kept", in, section.Keep()).Close()
	p := proctest.StartAs(t, inDir(dir), "conform", "hold", "files", "", "m/left", "1")
	p.Expect("ready")
	p.Kill()
	p.Wait()
	want := "a/kept kept=true left=false handles=0 err=false\nm/left kept=false left=true handles=0 err=false\n"
	if got := list(); got != want+"z/open kept=false left=false handles=1 err=false\n" {
		t.Error(got)
	}
	if i := must(section.Describe("m/left", in))(t); !i.Left || i.Version != 1 || i.Writer != 0 {
		t.Errorf("%+v", i)
	}

	// What is no section, or of another version.
	open[uint32](t, "b/other", in, section.Keep()).Close()
	open[uint32](t, "c/garbage", in, section.Keep()).Close()
	spoil(t, must(section.Describe("b/other", in))(t).File, 8, []byte{99})
	spoil(t, must(section.Describe("c/garbage", in))(t).File, 0, []byte("anything else"))
	for name, sentinel := range map[string]error{"b/other": partywall.ErrVersion, "c/garbage": partywall.ErrProtocol} {
		if _, err := section.Describe(name, in); !errors.Is(err, sentinel) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	listed := list()
	if !strings.Contains(listed, "b/other kept=false left=false handles=0 err=true\n") || strings.Count(listed, "err=true") != 2 {
		t.Error(listed)
	}

	// What is in use is not removed.
	err := section.Remove("z/open", in)
	if !errors.Is(err, partywall.ErrBusy) || !strings.Contains(err.Error(), fmt.Sprintf("process %d has it open", os.Getpid())) {
		t.Error(err)
	}
	q := proctest.StartAs(t, inDir(dir), "conform", "hold", "files", "", "a/kept", "2")
	q.Expect("ready")
	if err := section.Remove("a/kept", in); !errors.Is(err, partywall.ErrBusy) || !strings.Contains(err.Error(), fmt.Sprint(q.PID())) {
		t.Error(err)
	}
	end(t, q, true)
	for _, name := range []string{"a/kept", "m/left", "b/other", "c/garbage"} {
		if err := section.Remove(name, in); err != nil {
			t.Error(err)
		}
		if err := section.Remove(name, in); !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Errorf("again: %v", err)
		}
	}
	a.Close()
	if files := must(os.ReadDir(dir))(t); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
	leaks.Check()
}

// inDir has a process use another run directory.
func inDir(dir string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Env = append(c.Environ(), "PARTYWALL_DIR="+dir) }
}

// spoil changes a file's bytes.
func spoil(t *testing.T, file string, at int64, with []byte) {
	t.Helper()
	f := must(os.OpenFile(file, os.O_WRONLY, 0))(t)
	defer f.Close()
	must(f.WriteAt(with, at))(t)
}

// Whatever stands in the files, List and Describe say something, and nobody comes to harm.
func TestListForeign(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	in := section.Dir(dir)
	open[plant](t, "foreign", in, section.Keep()).Close()
	i := must(section.Describe("foreign", in))(t)
	for _, file := range []string{i.File, i.File + ".1"} {
		whole := must(os.ReadFile(file))(t)
		for at := 0; at < 512; at += 3 {
			for _, b := range []byte{0, 1, 0xff} {
				spoil(t, file, int64(at), []byte{b})
				if _, err := section.List(in); err != nil {
					t.Fatal(err)
				}
				_, err := section.Describe("foreign", in)
				if err != nil && strings.ContainsAny(err.Error(), "\n") {
					t.Fatalf("%q", err)
				}
			}
			spoil(t, file, int64(at), whole[at:at+1])
		}
		for _, n := range []int{0, 1, 383, 384, 4095, 4096, 5000} {
			os.WriteFile(file, whole[:min(n, len(whole))], 0o600)
			section.List(in)
			section.Describe("foreign", in)
		}
		os.WriteFile(file, bytes.Repeat([]byte{0xff}, 8192), 0o600)
		section.List(in)
		os.WriteFile(file, whole, 0o600)
	}
	if now := must(section.Describe("foreign", in))(t); shown(now) != shown(i) {
		t.Errorf("%+v, was %+v", now, i)
	}
}
