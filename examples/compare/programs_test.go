package compare_test

import (
	"bufio"
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// programs are the example's two, built, with a run directory of their own.
type programs struct{ dir string }

func build(t *testing.T) programs {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	p := programs{t.TempDir()}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", p.dir+string(filepath.Separator), "./server", "./client")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	t.Setenv("PARTYWALL_DIR", filepath.Join(p.dir, "run"))
	return p
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// server is the server process, which has said that it serves.
type server struct {
	*exec.Cmd
	t *testing.T
}

func (p programs) serve(t *testing.T) *server {
	t.Helper()
	s := &server{exec.Command(p.path("server")), t}
	stderr, err := s.StderrPipe()
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill() })
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if line != "server: serving \"imaging\"\n" {
		t.Fatalf("the server says %q, %v", line, err)
	}
	return s
}

func (s *server) kill() {
	_ = s.Process.Kill()
	_ = s.Wait()
}

// finished is how a program ended.
type finished struct {
	status         int
	stdout, stderr string
}

func (p programs) run(t *testing.T, name string, args ...string) finished {
	t.Helper()
	cmd := exec.Command(p.path(name), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dog := time.AfterFunc(proctest.Watchdog, func() {
		t.Errorf("%s does not end", name)
		_ = cmd.Process.Kill()
	})
	defer dog.Stop()
	_ = cmd.Wait() // the state says more
	return finished{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// fails checks that a program failed and said so in one line.
func (f finished) fails(t *testing.T, status int, wanted ...string) {
	t.Helper()
	if f.status != status || f.stdout != "" || strings.Count(f.stderr, "\n") != 1 {
		t.Errorf("exit status %d, prints %q, says %q; want status %d and one line said", f.status, f.stdout, f.stderr, status)
	}
	for _, want := range wanted {
		if !strings.Contains(f.stderr, want) {
			t.Errorf("it says %q, want %q in it", f.stderr, want)
		}
	}
}

// changed is where the images of pair differ: 200 of 5000 pixels, by 10 levels.
var changed = image.Rect(30, 20, 50, 30)

// pair writes two PNG files.
func (p programs) pair(t *testing.T) (left, right string) {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 100, 50))
	draw.Draw(m, m.Rect, image.NewUniform(color.NRGBA{100, 120, 140, 255}), image.Point{}, draw.Src)
	left, right = p.path("left.png"), p.path("right.png")
	writePNG(t, left, m)
	draw.Draw(m, changed, image.NewUniform(color.NRGBA{110, 130, 150, 255}), image.Point{}, draw.Src)
	writePNG(t, right, m)
	return left, right
}

func writePNG(t *testing.T, path string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
