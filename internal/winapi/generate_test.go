//go:build !windows

package winapi

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The generated file is what go generate makes of the //sys lines.
func TestGenerated(t *testing.T) {
	source, err := os.ReadFile("generate.go")
	if err != nil {
		t.Fatal(err)
	}
	_, command, ok := strings.Cut(string(source), "//go:generate ")
	if !ok {
		t.Fatal("generate.go has no go:generate line")
	}
	args := strings.Fields(command)
	const output = "zsyscall_unsafe_windows.go"
	again := filepath.Join(t.TempDir(), output)
	for i, arg := range args {
		if arg == output {
			args[i] = again
		}
	}
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	want, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./internal/winapi (-new +checked in):\n%s", diff)
	}
}
