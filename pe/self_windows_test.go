package pe

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

func init() {
	roles["counter"] = countInstance
	roles["sharer"] = shareLibrary
}

// countInstance is an instance of a program with a section of its own, Counter. It says
// which it is, and again whenever it is asked how many there are.
func countInstance([]string) error {
	image, err := Self()
	if err != nil {
		return err
	}
	defer image.Close()
	section, err := image.Section("Counter")
	if err != nil {
		return err
	}
	n, err := View[atomic.Uint64](section, 0)
	if err != nil {
		return err
	}
	fmt.Println("instance", n.Add(1), len(section.Bytes()), section.Flags())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println("instances", n.Load())
	}
	return nil
}

// The test's own program, with a section that it did not have, counts its instances.
func TestSelf(t *testing.T) {
	image, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := image.Section("Counter"); !errors.Is(err, ErrNoSection) {
		t.Error(err)
	}
	if _, err := image.Section(".data"); !errors.Is(err, ErrNotShared) {
		t.Error(err)
	}
	if text, err := image.AnySection(".text"); err != nil || text.Shared() || len(text.Bytes()) < 1<<16 {
		t.Error(text, err)
	}
	if err := errors.Join(image.Close(), image.Close()); err != nil {
		t.Error(err)
	}
	if _, err := image.Section(".data"); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}

	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "counter.exe")
	if err := AddSection(program, path, NewSection{Name: "Counter", Size: 4096}, PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	start := func() (*proctest.Process, string) {
		p := proctest.StartAs(t, func(cmd *exec.Cmd) { cmd.Path = path }, "counter")
		return p, p.Expect("instance ")
	}
	var all []*proctest.Process
	for i := range 3 {
		p, said := start()
		if want := fmt.Sprintf("%d 4096 rws", i+1); said != want {
			t.Errorf("it says %q, want %q", said, want)
		}
		all = append(all, p)
	}
	for _, p := range all {
		p.Say("how many")
		if said := p.Expect("instances "); said != "3" {
			t.Errorf("there are %s", said)
		}
	}
	for _, p := range all {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	p, said := start()
	if said != "1 4096 rws" {
		t.Errorf("when all have gone, it says %q", said)
	}
	// The file of a program that runs is not replaced; it stays as it is.
	if err := AddSection(path, "", NewSection{Name: "Other", Size: 8}, PatchOptions{}); err == nil {
		t.Log("this system replaces the file of a program that runs")
	}
	alone(t, path)
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// shareLibrary adds to a variable of a library, and says what it is then.
func shareLibrary(args []string) error {
	image, err := LoadShared(args[0])
	if err != nil {
		return err
	}
	section, err := image.AnySection("SectionA")
	if err != nil {
		return err
	}
	_, err = image.Section("SectionA")
	fmt.Println("shared", section.Shared(), errors.Is(err, ErrNotShared))
	n, err := View[atomic.Uint32](section, 0)
	if err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println("now", n.Add(1))
	}
	return errors.Join(image.Close(), image.Close())
}

// A library whose variables each process has for itself, and the same one with flags that
// share them.
func TestSetFlagsShares(t *testing.T) {
	v := mustVar(t, "SectionA:shareDataA:int32=40:getDataA:setDataA")
	v.Private = true
	t.Run("ours", func(t *testing.T) {
		sharesAfterSetFlags(t, writeDLL(t, &DLL{Name: "SectionDLL.dll", Machine: thisMachine(t), Vars: []Var{v}}))
	})
	t.Run("a C compiler's", func(t *testing.T) { sharesAfterSetFlags(t, peerPath(t, "section-dll.dll")) })
}

func sharesAfterSetFlags(t *testing.T, path string) {
	shared := filepath.Join(t.TempDir(), "Shared.dll")
	if err := SetFlags(path, shared, "SectionA", Read|Write|Shared, PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		path:   {"false true", "41", "41", "42", "42"},
		shared: {"true false", "41", "42", "43", "44"},
	} {
		a, b := proctest.Start(t, "sharer", path), proctest.Start(t, "sharer", path)
		for _, p := range []*proctest.Process{a, b} {
			if said := p.Expect("shared "); said != want[0] {
				t.Errorf("%s: %s, want %s", path, said, want[0])
			}
		}
		for i, p := range []*proctest.Process{a, b, a, b} {
			p.Say("add")
			if said := p.Expect("now "); said != want[1+i] {
				t.Errorf("%s: %s, want %s", path, said, want[1+i])
			}
		}
		for _, p := range []*proctest.Process{a, b} {
			if err := p.Wait(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestLoadSharedFails(t *testing.T) {
	if m, err := LoadShared(filepath.Join(t.TempDir(), "none.dll")); m != nil || err == nil || !strings.Contains(err.Error(), "none.dll") {
		t.Error(m, err)
	}
	other := ARM64
	if runtime.GOARCH == "arm64" {
		other = AMD64
	}
	path := writeDLL(t, sectionDLL(t, other))
	if m, err := LoadShared(path); m != nil || err == nil || !strings.Contains(err.Error(), "it is for "+other.String()) {
		t.Error(m, err)
	}
}

// A library that is loaded twice is there until it is closed twice.
func TestLoadSharedTwice(t *testing.T) {
	path := writeDLL(t, sectionDLL(t, thisMachine(t)))
	a, err := LoadShared(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := LoadShared(path)
	if err != nil {
		t.Fatal(err)
	}
	section, err := b.Section("SectionB")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if n, err := View[atomic.Int32](section, 0); err != nil || n.Add(5) != 5 {
		t.Error(n, err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Loaded(b.base); err == nil {
		t.Error("it is loaded still")
	}
}

// C programs with a new section run as before.
func TestAddSectionRuns(t *testing.T) {
	dir := os.Getenv("PARTYWALL_C_PEERS")
	if dir == "" {
		t.Skip("NOT TESTED: PARTYWALL_C_PEERS is not set; scripts/test-windows.sh sets it")
	}
	program := filepath.Join(dir, "section-user.exe")
	path := filepath.Join(t.TempDir(), "patched.exe")
	if err := AddSection(program, path, NewSection{Name: "Counter", Size: 1 << 20}, PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, writeDLL(t, sectionDLL(t, AMD64)), "int32:a:getDataA:setDataA")
	cmd.Stdin = strings.NewReader("set a 10\nget a\n")
	out, err := cmd.CombinedOutput()
	if said := strings.Fields(string(out)); err != nil || !slices.Equal(said, []string{"ready", "done", "a", "10"}) {
		t.Errorf("it says %q, %v", said, err)
	}
}

// peerPath is the path of what scripts/wine.sh has built of a C source in testdata.
func peerPath(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("PARTYWALL_C_PEERS")
	if dir == "" {
		t.Fatal("PARTYWALL_C_PEERS is not set: scripts/test-windows.sh builds what this test needs and says so there")
	}
	return filepath.Join(dir, name)
}
