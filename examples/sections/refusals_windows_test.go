package sections_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/examples/sections"
	"github.com/partywall/partywall/pe"
	"github.com/partywall/partywall/winmsg"
)

// auto runs SectionMain --auto, which has to fail and say why in one line.
func auto(t *testing.T, dir string, wanted []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(within(t), filepath.Join(dir, "SectionMain.exe"), append([]string{"--auto"}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	_ = cmd.Run() // the state says more
	if status := cmd.ProcessState.ExitCode(); status != 1 || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("exit status %d, it says %q; want status 1 and one line", status, said.String())
	}
	for _, want := range wanted {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it says %q, want %q in it", said.String(), want)
		}
	}
}

// find waits for the one window of a title.
func find(t *testing.T, title string) *winmsg.Window {
	t.Helper()
	w, err := winmsg.Find(within(t), winmsg.Title(title), winmsg.Wait())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// pretend makes a window of this process that has a program's title and does nothing.
func pretend(t *testing.T, title string) *winmsg.OwnWindow {
	t.Helper()
	w, err := winmsg.NewWindow(winmsg.Title(title))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// end closes SectionMain's window and waits for its end.
func (p *mainProcess) end(t *testing.T) {
	t.Helper()
	if err := p.window.Post(winmsg.CloseNow, 0, 0); err != nil {
		t.Fatal(err)
	}
	for scan(t, p.lines) != "" { // to the end of its output
	}
	if err := p.cmd.Wait(); err != nil {
		t.Error(err)
	}
	gone(t)
}

// The children could not tell two SectionMain apart: the second one leaves the first alone, and the
// children that it has started.
func TestTwoMains(t *testing.T) {
	dir := folder(t)
	first := startMain(t, dir)
	a, b := find(t, sections.A.Title), find(t, sections.B.Title)
	auto(t, dir, []string{"is there already", fmt.Sprint("process ", first.cmd.Process.Pid)})
	for _, child := range []*winmsg.Window{a, b} {
		if _, err := child.Info(); err != nil {
			t.Errorf("the second one has closed a child of the first: %v", err)
		}
	}
	first.press(t)
	got := map[string]bool{scan(t, first.lines): true, scan(t, first.lines): true}
	if !got["A response ,the data is :10"] || !got["B response ,the data is :20"] {
		t.Errorf("the first one prints %v", got)
	}
	first.end(t)
}

// A title that two windows have is nobody's: the other child answers.
func TestAmbiguousChild(t *testing.T) {
	p := startMain(t, folder(t))
	find(t, sections.A.Title)
	find(t, sections.B.Title)
	double := pretend(t, sections.A.Title)
	p.press(t)
	if said := scan(t, p.said); !strings.Contains(said, "A cannot be asked") || !strings.Contains(said, "2 windows match") {
		t.Errorf("it says %q", said)
	}
	if line := scan(t, p.lines); line != "B response ,the data is :20" {
		t.Errorf("it prints %q", line)
	}
	double.Close()
	p.end(t)
}

// A child that cannot tell anybody says so, and goes on.
func TestNobodyToTell(t *testing.T) {
	cmd := exec.Command(filepath.Join(folder(t), sections.A.Title+".exe"))
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(errs)
	a := find(t, sections.A.Title)
	ask := func(want string) {
		t.Helper()
		if err := a.Post(sections.A.Message, 0, 0); err != nil {
			t.Fatal(err)
		}
		if said := scan(t, lines); !strings.Contains(said, "SectionASub: the data is set, and nobody told") || !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q in it", said, want)
		}
	}
	ask("not found")
	pretend(t, sections.MainTitle)
	pretend(t, sections.MainTitle)
	ask("2 windows match")
	if err := a.Post(winmsg.CloseNow, 0, 0); err != nil {
		t.Fatal(err)
	}
	if rest := scan(t, lines); rest != "" {
		t.Errorf("it says %q at its end", rest)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A child that takes the message and never answers costs the time that was set; being somebody
// else's, it is left as it is.
func TestSilentChild(t *testing.T) {
	silent := pretend(t, sections.A.Title)
	auto(t, folder(t), []string{"no response from SectionASub: waited for 3s"}, "--timeout", "3s")
	if there, err := winmsg.List(winmsg.Title(sections.A.Title)); err != nil || len(there) != 1 || there[0].Handle != silent.Handle() {
		t.Errorf("there are %v, %v", there, err)
	}
	silent.Close()
	gone(t)
}

// A copy of the DLL is another DLL: what a child of another folder sets, SectionMain does not see.
func TestChildOfAnotherFolder(t *testing.T) {
	cmd := exec.Command(filepath.Join(folder(t), sections.A.Title+".exe"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	a := find(t, sections.A.Title)
	main := exec.CommandContext(within(t), filepath.Join(folder(t), "SectionMain.exe"), "--auto")
	out, err := main.CombinedOutput()
	text := strings.ReplaceAll(string(out), "\r\n", "\n")
	if err != nil || !strings.Contains(text, "A response ,the data is :0\n") || !strings.Contains(text, "B response ,the data is :20\n") {
		t.Errorf("it prints %q, %v", text, err)
	}
	if err := a.Post(winmsg.CloseNow, 0, 0); err != nil {
		t.Fatalf("SectionMain has closed a child that it has not started: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	gone(t)
}

// A DLL that would not do is found out before anybody relies on it.
func TestWrongDLL(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(d *pe.DLL)
		want   []string
	}{
		{"no getter", func(d *pe.DLL) { d.Vars[1].Getter = "" }, []string{"SectionDLL.dll has no function getDataB"}},
		{"no setter", func(d *pe.DLL) { d.Vars[1].Setter = "" }, []string{"SectionBSub", "it said: SectionBSub: ", "SectionDLL.dll has no function setDataB"}},
		{"not shared", func(d *pe.DLL) { d.Vars[0].Private = true }, []string{"SectionDLL.dll: ", "SectionA", "not shared"}},
		{"no section", func(d *pe.DLL) { d.Vars[1].Section = "Other" }, []string{"SectionDLL.dll: ", "SectionB"}},
		{"another machine's", func(d *pe.DLL) { d.Machine = pe.ARM64 }, []string{"SectionDLL.dll: it is for arm64"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := folder(t)
			d := sections.DLL(0)
			test.change(d)
			var file bytes.Buffer
			if _, err := d.WriteTo(&file); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, sections.DLLName)
			if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			auto(t, dir, test.want)
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, file.Bytes()) {
				t.Errorf("the DLL has changed: %v", err)
			}
			gone(t)
		})
	}
}
