package compare_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// programs are the example's two, with a run directory and a directory for files of their
// own.
type programs struct{ dir string }

// bin is the directory of the programs themselves.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "partywall-compare-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

var built = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", bin+string(filepath.Separator), "./server", "./client")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return nil
})

func build(t *testing.T) programs {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	if err := built(); err != nil {
		t.Fatal(err)
	}
	p := programs{t.TempDir()}
	t.Setenv("PARTYWALL_DIR", filepath.Join(p.dir, "run"))
	return p
}

// program is the path of the one or the other.
func program(name string) string { return filepath.Join(bin, name) }

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// server is the server process, which has said that it serves.
type server struct {
	*exec.Cmd
	t   *testing.T
	log *serverLog
}

// serverLog is what the server has said so far.
type serverLog struct {
	mu    sync.Mutex
	text  string
	begun chan struct{} // closed after the first line
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := strings.Contains(l.text, "\n")
	if l.text += string(p); !before && strings.Contains(l.text, "\n") {
		close(l.begun)
	}
	return len(p), nil
}

func (l *serverLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.text, "\n"), "\n")
}

func (p programs) serve(t *testing.T) *server {
	t.Helper()
	s := &server{exec.Command(program("server")), t, &serverLog{begun: make(chan struct{})}}
	s.Stderr = s.log
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	select {
	case <-s.log.begun:
	case <-time.After(proctest.Watchdog):
		t.Fatal("the server says nothing")
	}
	if line := s.log.lines()[0]; !strings.HasSuffix(line, " level=INFO msg=serving service=compare") {
		t.Fatalf("the server says %q", line)
	}
	return s
}

func (s *server) kill() {
	_ = s.Process.Kill()
	_ = s.Wait()
}

// end tells the server to end, and waits until it has.
func (s *server) end() {
	s.t.Helper()
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		s.t.Errorf("the server that was told to end: %v", err)
	}
}

// finished is how a program ended.
type finished struct {
	status         int
	stdout, stderr string
}

func (p programs) run(t *testing.T, name string, args ...string) finished {
	t.Helper()
	cmd := exec.Command(program(name), args...)
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
