package archtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// platforms are where everything has to build. vet: the tests have to compile
// there too.
var platforms = []struct {
	os, arch string
	vet      bool
}{
	{"linux", "amd64", true},
	{"linux", "arm64", false},
	{"linux", "386", false},
	{"windows", "amd64", true},
	{"windows", "arm64", false},
	{"darwin", "arm64", true},
}

func TestBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: not building for every system; go test without it does")
	}
	for _, p := range platforms {
		t.Run(p.os+"/"+p.arch, func(t *testing.T) {
			if out, err := goFor(t.Context(), top, p.os, p.arch, "build", "-buildvcs=false", "./..."); err != nil {
				t.Fatalf("does not build for %s/%s: %v\n%s", p.os, p.arch, err, out)
			}
			if !p.vet {
				return
			}
			if out, err := goFor(t.Context(), top, p.os, p.arch, "vet", "./..."); err != nil {
				t.Errorf("go vet for %s/%s: %v\n%s", p.os, p.arch, err, out)
			}
		})
	}
}

// The check above has to see a file that only one system compiles.
func TestBuildsBites(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example.org/m\n\ngo 1.26\n",
		"a.go":         "package m\n",
		"a_windows.go": "package m\n\nvar number int = \"text\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := goFor(t.Context(), dir, "linux", runtime.GOARCH, "build", "./..."); err != nil {
		t.Errorf("linux: %v\n%s", err, out)
	}
	out, err := goFor(t.Context(), dir, "windows", "amd64", "build", "./...")
	if err == nil || !strings.Contains(out, "a_windows.go:3") {
		t.Errorf("windows: got %v and %q, want an error that names a_windows.go:3", err, out)
	}
}

// goFor runs the go command in dir, building for the system given.
func goFor(ctx context.Context, dir, goos, goarch string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
