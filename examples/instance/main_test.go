package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func TestMain(m *testing.M) {
	proctest.Main(m, proctest.Roles{"viewer": func(files []string) error {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
		return view(ctx, os.Stdout, files)
	}})
}

// The program is started twice, from two directories; and once more when the first has ended.
func TestViewer(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	probe, err := call.Listen("probe")
	if errors.Is(err, partywall.ErrNotSupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	probe.Close()
	here, there := t.TempDir(), t.TempDir()
	start := func(dir string, files ...string) *proctest.Process {
		return proctest.StartAs(t, func(cmd *exec.Cmd) { cmd.Dir = dir }, "viewer", files...)
	}
	opens := func(p *proctest.Process, dir, file string) {
		t.Helper()
		got := p.Expect("open ")
		path, err := strconv.Unquote(got)
		if err != nil || path != filepath.Join(dir, file) && !strings.HasSuffix(path, filepath.Join(filepath.Base(dir), file)) {
			t.Errorf("it opens %s, want %q in %s", got, file, dir)
		}
	}
	first := start(here, "a.txt")
	opens(first, here, "a.txt")
	second := start(there, "two words.txt", `b"|.txt`)
	second.Expect("handed over")
	if err := second.Wait(); err != nil {
		t.Error(err)
	}
	opens(first, there, "two words.txt")
	opens(first, there, `b"|.txt`)
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	third := start(there, "c.txt")
	opens(third, there, "c.txt")
}

// The code in docs/SINGLE.md that is Go is from here.
func TestDocument(t *testing.T) {
	code, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/SINGLE.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```go\n")[1:]
	if len(blocks) == 0 {
		t.Error("there is no code")
	}
	for _, b := range blocks {
		if b, _, _ = strings.Cut(b, "```"); !strings.Contains(string(code), b) {
			t.Errorf("this is in docs/SINGLE.md, and not here:\n%s", b)
		}
	}
}
