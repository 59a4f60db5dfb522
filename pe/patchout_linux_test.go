package pe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is no regular file is not replaced by one.
func TestPatchFileIrregular(t *testing.T) {
	path, _ := roomyFile(t, 0o600)
	dir := t.TempDir()
	fifo, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{fifo, link} {
		before, err := os.Lstat(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := AddSection(path, out, NewSection{Name: "Counter", Size: 8}, PatchOptions{}); err == nil || !strings.Contains(err.Error(), "is no regular file") {
			t.Errorf("%s: %v", out, err)
		}
		if after, err := os.Lstat(out); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s is %v now, %v", out, after.Mode(), err)
		}
	}
}
