package pe

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func roomyFile(t *testing.T, mode os.FileMode) (path string, b []byte) {
	t.Helper()
	k := roomy()
	b = k.draw()
	path = filepath.Join(t.TempDir(), "program.exe")
	if err := os.WriteFile(path, b, mode); err != nil {
		t.Fatal(err)
	}
	return path, b
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// alone fails if there is anything else beside a file.
func alone(t *testing.T, paths ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(paths[0]))
	if err != nil || len(entries) != len(paths) {
		t.Errorf("%v, %v; want %v", entries, err, paths)
	}
}

func TestPatchFile(t *testing.T) {
	path, old := roomyFile(t, 0o750)
	out := filepath.Join(filepath.Dir(path), "out.exe")
	if err := SetFlags(path, out, "SectionA", Read|Write|Shared, PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustRead(t, path), old) {
		t.Error("the old file has changed")
	}
	if f := mustOpen(t, out); f.Section("SectionA").Flags.String() != "rws" {
		t.Error(f.Section("SectionA").Flags)
	}
	alone(t, path, out)

	if err := AddSection(path, "", NewSection{Name: "Counter", Size: 8}, PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if f := mustOpen(t, path); f.Section("Counter") == nil {
		t.Error("no new section")
	}
	alone(t, path, out)
	for _, path := range []string{path, out} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o750 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
}

// What goes wrong leaves the old file, and nothing beside it.
func TestPatchFileFails(t *testing.T) {
	path, old := roomyFile(t, 0o600)
	refused := AddSection(path, "", NewSection{Name: ".text", Size: 8}, PatchOptions{})
	if !errors.Is(refused, ErrSectionName) || !strings.Contains(refused.Error(), path) {
		t.Error(refused)
	}
	torn := errors.New("torn")
	err := PatchFile(path, "", func(f *File) (*Patch, error) {
		p, err := f.SetFlags("SectionA", Read, PatchOptions{})
		if err == nil {
			p.r = tornReader{torn}
		}
		return p, err
	})
	if !errors.Is(err, torn) {
		t.Error(err)
	}
	if err := SetFlags(path, filepath.Join(path, "out.exe"), "SectionA", Read, PatchOptions{}); err == nil {
		t.Error("written into a file as if it were a directory")
	}
	if err := SetFlags(path, filepath.Dir(path), "SectionA", Read, PatchOptions{}); err == nil {
		t.Error("written over a directory")
	}
	if err := SetFlags(path+"x", "", "SectionA", Read, PatchOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if !bytes.Equal(mustRead(t, path), old) {
		t.Error("the old file has changed")
	}
	alone(t, path)
}

type tornReader struct{ err error }

func (r tornReader) ReadAt([]byte, int64) (int, error) { return 0, r.err }

func TestPatchFileSymlink(t *testing.T) {
	path, _ := roomyFile(t, 0o600)
	link := filepath.Join(t.TempDir(), "link.exe")
	if err := os.Symlink(path, link); err != nil {
		t.Skip("NOT TESTED: ", err)
	}
	if _, err := os.Stat(link); err != nil {
		t.Skip("NOT TESTED: ", err) // Wine makes links that it does not follow
	}
	if err := AddSection(link, "", NewSection{Name: "Counter", Size: 8}, PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if mustOpen(t, path).Section("Counter") == nil {
		t.Error("what the link points to has no new section")
	}
	alone(t, path)
}
