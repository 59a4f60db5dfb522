package sections_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/examples/sections"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/winmsg"
)

// TestMain is the tests, or in a copy of this file that has the name of one of the programs, that
// program: its name is what SectionMain starts its children by.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "SectionMain.exe":
		os.Exit(sections.Main(os.Args[1:], os.Stdout, os.Stderr))
	case "SectionASub.exe":
		os.Exit(sections.Sub(sections.A, os.Args[1:], os.Stdout, os.Stderr))
	case "SectionBSub.exe":
		os.Exit(sections.Sub(sections.B, os.Args[1:], os.Stdout, os.Stderr))
	}
	proctest.Main(m, nil)
}

// twins are the C programs that can take the place of ours.
var twins = map[string]string{
	"SectionMain.exe": "section-main.exe",
	"SectionASub.exe": "section-asub.exe",
	"SectionBSub.exe": "section-bsub.exe",
	"SectionDLL.dll":  "sections-dll.dll",
}

// folder has the three programs, and those that are named in C. The DLL is made by the first that
// misses it.
func folder(t *testing.T, inC ...string) string {
	t.Helper()
	dir := t.TempDir()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range twins {
		if strings.HasSuffix(name, ".exe") {
			copyFile(t, own, filepath.Join(dir, name))
		}
	}
	peers := os.Getenv("PARTYWALL_C_PEERS")
	if peers == "" {
		t.Fatal("PARTYWALL_C_PEERS is not set: scripts/test-windows.sh builds the C programs that this test talks to and says so there")
	}
	for _, name := range inC {
		copyFile(t, filepath.Join(peers, twins[name]), filepath.Join(dir, name))
	}
	return dir
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*proctest.Watchdog)
	t.Cleanup(cancel)
	return ctx
}

// gone fails the test if a window of the programs is there still.
func gone(t *testing.T) {
	t.Helper()
	for _, title := range []string{"SectionMain", "SectionASub", "SectionBSub"} {
		if left, err := winmsg.List(winmsg.Title(title)); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// Whatever of it is in C, --auto brings both responses.
func TestAuto(t *testing.T) {
	for what, inC := range map[string][]string{
		"ours":        nil,
		"C main":      {"SectionMain.exe", "SectionDLL.dll"}, // who is first makes the DLL, and this one cannot
		"C A":         {"SectionASub.exe"},
		"C B":         {"SectionBSub.exe"},
		"C DLL":       {"SectionDLL.dll"},
		"C A and B":   {"SectionASub.exe", "SectionBSub.exe"},
		"all C":       {"SectionMain.exe", "SectionASub.exe", "SectionBSub.exe", "SectionDLL.dll"},
		"all but DLL": {"SectionMain.exe", "SectionASub.exe", "SectionBSub.exe"},
	} {
		t.Run(what, func(t *testing.T) {
			dir := folder(t, inC...)
			if what == "all but DLL" {
				makeDLL(t, dir)
			}
			cmd := exec.CommandContext(within(t), filepath.Join(dir, "SectionMain.exe"), "--auto")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			text := strings.ReplaceAll(string(out), "\r\n", "\n")
			if err != nil || text != "A response ,the data is :10\nB response ,the data is :20\n" && text != "B response ,the data is :20\nA response ,the data is :10\n" {
				t.Errorf("it prints %q, %v", text, err)
			}
			gone(t)
		})
	}
}

// makeDLL has partywall make the DLL, which C programs find there.
func makeDLL(t *testing.T, dir string) {
	t.Helper()
	var b bytes.Buffer
	if _, err := sections.DLL(0).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, sections.DLLName), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mainProcess is SectionMain without --auto.
type mainProcess struct {
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	said   *bufio.Scanner
	window *winmsg.Window
}

func startMain(t *testing.T, dir string) *mainProcess {
	t.Helper()
	p := &mainProcess{cmd: exec.Command(filepath.Join(dir, "SectionMain.exe"))}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	p.lines, p.said = bufio.NewScanner(out), bufio.NewScanner(errs)
	if p.window, err = winmsg.Find(within(t), winmsg.Title("SectionMain"), winmsg.PID(p.cmd.Process.Pid), winmsg.Wait()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.window.Close() })
	return p
}

// press presses Test as another program does.
func (p *mainProcess) press(t *testing.T) {
	t.Helper()
	if err := p.window.Post(winmsg.Command, sections.TestButton, 0); err != nil {
		t.Fatal(err)
	}
}

// scan reads a line.
func scan(t *testing.T, s *bufio.Scanner) string {
	t.Helper()
	line := make(chan string, 1)
	go func() {
		s.Scan()
		line <- s.Text()
	}()
	select {
	case text := <-line:
		return text
	case <-time.After(2 * proctest.Watchdog):
		t.Fatal("SectionMain is silent")
	}
	return ""
}

// The window is what the article shows; a child that has been killed is an error that says so; and all of it ends
// when the window is closed.
func TestWindow(t *testing.T) {
	p := startMain(t, folder(t))
	var subs []*winmsg.Window
	for _, title := range []string{"SectionASub", "SectionBSub"} {
		w, err := winmsg.Find(within(t), winmsg.Title(title), winmsg.Wait())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		subs = append(subs, w)
	}
	for range 2 {
		p.press(t)
		got := map[string]bool{scan(t, p.lines): true, scan(t, p.lines): true}
		if !got["A response ,the data is :10"] || !got["B response ,the data is :20"] {
			t.Errorf("it prints %v", got)
		}
	}
	// Side by side, so that each can be seen; what comes to light is drawn a moment later.
	for i, w := range append([]*winmsg.Window{p.window}, subs...) {
		move(t, w, 450*min(i, 1), 220*max(i-1, 0))
	}
	for deadline := time.Now().Add(proctest.Watchdog); ; time.Sleep(20 * time.Millisecond) {
		m := proctest.Screenshot(t, p.window.Handle())
		button, a, b := dark(m, image.Rect(20, 15, 120, 45)), dark(m, image.Rect(20, 60, 300, 80)), dark(m, image.Rect(20, 85, 300, 105))
		written := func(n int) bool { return 20 < n && n < 2000 } // more is no writing
		if written(button) && written(a) && written(b) {
			proctest.KeepScreenshot(t, "SectionMain", m)
			break
		}
		if time.Now().After(deadline) {
			proctest.KeepScreenshot(t, "SectionMain", m)
			t.Errorf("the window shows %d, %d, %d dark pixels of the button and the two lines", button, a, b)
			break
		}
	}
	for i, w := range subs {
		proctest.KeepScreenshot(t, []string{"SectionASub", "SectionBSub"}[i], proctest.Screenshot(t, w.Handle()))
	}

	killed, err := os.FindProcess(subs[0].PID())
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = killed.Wait()
	p.press(t)
	if said := scan(t, p.said); !strings.Contains(said, "A cannot be asked") || !strings.Contains(said, "SectionASub") {
		t.Errorf("it says %q", said)
	}
	if line := scan(t, p.lines); line != "B response ,the data is :20" {
		t.Errorf("it prints %q", line)
	}
	if _, err := p.window.Send(within(t), winmsg.CloseNow, 0, 0); err != nil && !errors.Is(err, partywall.ErrPeerGone) {
		t.Error(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(2 * proctest.Watchdog):
		t.Error("it does not end")
	}
	gone(t)
}

// setWindowPos is SetWindowPos of user32.
var setWindowPos = syscall.NewLazyDLL("user32.dll").NewProc("SetWindowPos")

// move moves a window to the front, at that place of the desktop.
func move(t *testing.T, w *winmsg.Window, x, y int) {
	t.Helper()
	const keepSize, top = 0x0001, 0 // SWP_NOSIZE, HWND_TOP
	if ok, _, err := setWindowPos.Call(w.Handle(), top, uintptr(x), uintptr(y), 0, 0, keepSize); ok == 0 {
		t.Fatalf("SetWindowPos: %v", err)
	}
}

// dark counts the dark pixels of a part.
func dark(m *image.NRGBA, part image.Rectangle) (n int) {
	part = part.Intersect(m.Bounds())
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if c := m.NRGBAAt(x, y); int(c.R)+int(c.G)+int(c.B) < 300 {
				n++
			}
		}
	}
	return n
}

// Bad arguments, and what is missing, are one line each.
func TestComplaints(t *testing.T) {
	run := func(dir, program string, args ...string) (string, int) {
		cmd := exec.CommandContext(within(t), filepath.Join(dir, program), args...)
		out, _ := cmd.CombinedOutput()
		return strings.ReplaceAll(string(out), "\r\n", "\n"), cmd.ProcessState.ExitCode()
	}
	good := folder(t)
	noChild := folder(t)
	if err := os.Remove(filepath.Join(noChild, "SectionBSub.exe")); err != nil {
		t.Fatal(err)
	}
	noDLL := folder(t)
	if err := os.WriteFile(filepath.Join(noDLL, sections.DLLName), []byte("MZ"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		dir, program string
		args         []string
		status       int
		says         string
	}{
		{good, "SectionMain.exe", []string{"--help"}, 0, "usage: SectionMain"},
		{good, "SectionASub.exe", []string{"--help"}, 0, "sets 10 with setDataA"},
		{good, "SectionMain.exe", []string{"--fast"}, 2, "--help says what there is"},
		{good, "SectionMain.exe", []string{"--timeout", "0s"}, 2, "a timeout of 0s"},
		{good, "SectionBSub.exe", []string{"now"}, 2, `what is "now"?`},
		{noChild, "SectionMain.exe", []string{"--auto"}, 1, "SectionBSub.exe"},
		{noDLL, "SectionMain.exe", []string{"--auto"}, 1, "SectionDLL.dll"},
		{noDLL, "SectionASub.exe", nil, 1, "SectionDLL.dll"},
	} {
		text, status := run(test.dir, test.program, test.args...)
		if status != test.status || !strings.Contains(text, test.says) || status != 0 && strings.Count(text, "\n") != 1 {
			t.Errorf("%s %q: exit status %d, %q", test.program, test.args, status, text)
		}
	}
	gone(t)
}
