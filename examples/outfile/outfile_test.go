package outfile_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/partywall/partywall/examples/outfile"
)

func TestWrite(t *testing.T) {
	broken := errors.New("broken")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		write func(io.Writer) error
		want  error
		has   string // the file's content afterwards, if it was there before
	}{
		{"done", t.Context(), text("new"), nil, "new"},
		{"failed", t.Context(), func(w io.Writer) error { return errors.Join(text("half")(w), broken) }, broken, "old"},
		{"interrupted", ended, text("new"), context.Canceled, "old"},
	} {
		for _, before := range []string{"old", ""} {
			t.Run(tt.name+", before: "+before, func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, "file.png")
				if before != "" {
					if err := os.WriteFile(path, []byte(before), 0o640); err != nil {
						t.Fatal(err)
					}
				}
				if err := outfile.Write(tt.ctx, path, tt.write); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				entries, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				if before == "" && tt.want != nil {
					if len(entries) > 0 {
						t.Errorf("left behind: %v", entries)
					}
					return
				}
				if got, err := os.ReadFile(path); err != nil || string(got) != tt.has || len(entries) != 1 {
					t.Errorf("got %q, %v among %v, want %q alone", got, err, entries, tt.has)
				}
				if info, err := os.Stat(path); err != nil || before != "" && runtime.GOOS != "windows" && info.Mode() != 0o640 {
					t.Errorf("mode %v, %v, want that from before", info.Mode(), err)
				}
			})
		}
	}
}

// A link leads to the file that is replaced, and stays a link.
func TestWriteThroughLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Skip(err)
	}
	if _, err := os.Readlink(link); err != nil {
		t.Skipf("a link cannot be read back: %v", err) // Wine 8
	}
	err := outfile.Write(t.Context(), link, func(w io.Writer) error {
		_, err := io.WriteString(w, "new")
		return err
	})
	if got, _ := os.ReadFile(file); err != nil || string(got) != "new" {
		t.Errorf("the file has %q, %v", got, err)
	}
	if target, err := os.Readlink(link); err != nil || target != "file" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
}

// Each error names what the user has named.
func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", "file")} {
		err := outfile.Write(t.Context(), path, func(io.Writer) error { return nil })
		if err == nil || !strings.Contains(err.Error(), path+":") || strings.Contains(err.Error(), ".partial") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
