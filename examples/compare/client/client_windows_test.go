package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/winmsg"
)

const answered = "red=2.00,blue=1.00\n"

// ok checks that the client has the answer, and what it says besides.
func (f finished) ok(t *testing.T, said string) {
	t.Helper()
	if want := (finished{0, answered, said}); f != want {
		t.Errorf("the client: %+v, want %+v", f, want)
	}
}

// startC starts the C server and waits for its window.
func startC(t *testing.T, title string) *proctest.Process {
	t.Helper()
	dir := os.Getenv("PARTYWALL_C_PEERS")
	if dir == "" {
		t.Fatal("PARTYWALL_C_PEERS is not set: scripts/test-windows.sh builds the C programs that this test talks to and says so there")
	}
	path := filepath.Join(dir, "compare-server.exe")
	p := proctest.StartAs(t, func(cmd *exec.Cmd) { cmd.Path, cmd.Args = path, []string{path, title} }, "C server")
	p.Expect("ready ")
	return p
}

// endServers kills the servers of a title when the test ends: those that clients have started.
func endServers(t *testing.T, title string) {
	t.Cleanup(func() {
		windows, err := winmsg.List(winmsg.Title(title))
		if err != nil {
			t.Error(err)
		}
		for _, w := range windows {
			if p, err := os.FindProcess(w.PID); err == nil {
				_ = p.Kill()
				_, _ = p.Wait()
			}
		}
	})
}

func TestGoServer(t *testing.T) {
	p := install(t, "compare-client", "compare-server")
	server := p.start(t, "compare-server", "-title", titleOf(t))
	openTitle(t, titleOf(t))
	for range 3 {
		p.client(t, "-title", titleOf(t)).ok(t, "")
		if line := server.Line(); line != "client:red=3333.00,blue=20.01" {
			t.Errorf("the server prints %q", line)
		}
	}
}

func TestCServer(t *testing.T) {
	p := install(t, "compare-client")
	server := startC(t, titleOf(t))
	for range 3 {
		p.client(t, "-title", titleOf(t)).ok(t, "")
		if line := server.Line(); line != "client:red=3333.00,blue=20.01" {
			t.Errorf("the server prints %q", line)
		}
	}
	// The message that ours takes for pictures means something else there.
	left, right := testdata("left.png"), testdata("right.png")
	p.client(t, "-title", titleOf(t), left, right).fails(t, 1, "WM_USER+101 with 5", "no server of this kind")
}

// A window that knows neither message answers 0, as every window does.
func TestOtherWindow(t *testing.T) {
	w, err := winmsg.NewWindow(winmsg.Title(titleOf(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := install(t, "compare-client")
	left, right := testdata("left.png"), testdata("right.png")
	p.client(t, "-title", titleOf(t)).fails(t, 1, "WM_USER+100", "no server of this kind")
	p.client(t, "-title", titleOf(t), left, right).fails(t, 1, "WM_USER+101", "no server of this kind")
}

// A server that hangs costs its clients the time that they have set, and no more.
func TestHungServer(t *testing.T) {
	p := install(t, "compare-client")
	server := startC(t, titleOf(t))
	server.Say("hang")
	server.Expect("hung")
	left, right := testdata("left.png"), testdata("right.png")
	for _, files := range [][]string{nil, {left, right}} {
		args := append([]string{"-title", titleOf(t), "-timeout", "300ms"}, files...)
		p.client(t, args...).fails(t, 1, "no result within 300ms: ", "context deadline exceeded")
	}
	server.Say("go")
	server.Expect("going")
	p.client(t, "-title", titleOf(t)).ok(t, "")
}

// Without a server, the client starts the one that lies beside it, or the one that it is told.
func TestStartsServer(t *testing.T) {
	for _, tt := range []struct {
		there, given, started string
	}{
		{"compare-server", "", "compare-server"},
		{"server", "", "server"},
		{"compare-server,server", "", "compare-server"},
		{"compare-server,other", "other", "other"},
	} {
		t.Run(tt.there+" "+tt.given, func(t *testing.T) {
			p := install(t, append(strings.Split(tt.there, ","), "compare-client")...)
			endServers(t, titleOf(t))
			args := []string{"-title", titleOf(t)}
			if tt.given != "" {
				args = append(args, "-server", p.path(tt.given))
			}
			first := p.client(t, args...)
			pid := openTitle(t, titleOf(t)).PID()
			first.ok(t, fmt.Sprintf("client: no window titled %q: started %s, process %d\n", titleOf(t), p.path(tt.started), pid))
			p.client(t, args...).ok(t, "")
		})
	}
}

func TestManyClientsStartOneServer(t *testing.T) {
	p := install(t, "compare-client", "compare-server")
	endServers(t, titleOf(t))
	const clients = 8
	all := make([]finished, clients)
	var done sync.WaitGroup
	for i := range all {
		done.Go(func() { all[i] = p.client(t, "-title", titleOf(t)) })
	}
	done.Wait()
	started := 0
	for _, f := range all {
		if strings.Contains(f.stderr, ": started ") {
			started++
			f.stderr = ""
		}
		f.ok(t, "")
	}
	if started != 1 {
		t.Errorf("%d clients say that they have started a server", started)
	}
	windows, err := winmsg.List(winmsg.Title(titleOf(t)))
	if err != nil || len(windows) != 1 {
		t.Errorf("there are the windows %v, %v", windows, err)
	}
}

func TestNoServer(t *testing.T) {
	p := install(t, "compare-client", "server")
	alone := install(t, "compare-client")
	none := p.path("none")
	alone.client(t, "-title", titleOf(t)).fails(t, 1, titleOf(t), "neither compare-server.exe nor server.exe is in "+string(alone))
	p.client(t, "-title", titleOf(t), "-server", none).fails(t, 1, titleOf(t), none)
	p.client(t, "-title", titleOf(t), "-server", testdata("left.png")).fails(t, 1, titleOf(t), "left.png")

	// The C client takes -title for an option that it does not know, and ends.
	c := filepath.Join(os.Getenv("PARTYWALL_C_PEERS"), "compare-client.exe")
	f := p.client(t, "-title", titleOf(t), "-server", c)
	if lines := strings.Split(strings.TrimSpace(f.stderr), "\n"); f.status != 1 || f.stdout != "" || len(lines) != 2 ||
		!strings.Contains(lines[0], ": started "+c) || !strings.Contains(lines[1], "it said: usage: compare-client") {
		t.Errorf("a program that is no server: %+v", f)
	}
}

func TestBadUsage(t *testing.T) {
	p := install(t, "compare-client")
	for _, args := range [][]string{{"one.png"}, {"1", "2", "3", "4"}, {"-timeout", "0s"}, {"-timeout", "-1s"}} {
		p.client(t, args...).fails(t, 2, "usage: client [-title TITLE]")
	}
	if f := p.client(t, "-unknown"); f.status != 2 || !strings.Contains(f.stderr, "usage: ") {
		t.Errorf("an unknown option: %+v", f)
	}
}

// Mistakes with files are found before a server is looked for, or started.
func TestBadFiles(t *testing.T) {
	p := install(t, "compare-client", "compare-server")
	left, right := testdata("left.png"), testdata("right.png")
	none := filepath.Join(t.TempDir(), "none", "d.png")
	p.client(t, "-title", titleOf(t), left, "none.png").fails(t, 1, "none.png")
	p.client(t, "-title", titleOf(t), left, "main.go").fails(t, 1, "main.go", "not a PNG, JPEG or GIF image")
	p.start(t, "compare-server", "-title", titleOf(t))
	openTitle(t, titleOf(t))
	p.client(t, "-title", titleOf(t), left, right, none).fails(t, 1, none)
}
