package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestWindowsScripts runs the scripts about windows, against the C server of winmsg's tests.
func TestWindowsScripts(t *testing.T) {
	if os.Getenv("PARTYWALL_C_PEERS") == "" {
		t.Fatal("PARTYWALL_C_PEERS is not set: scripts/test-windows.sh builds the C programs that this test talks to and says so there")
	}
	testscript.RunT(oneByOne{t}, testscript.Params{
		Dir:                 "testdata/windows",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  scriptExits,
			"lines":  scriptLines,
			"json":   scriptJSON,
			"served": scriptServed,
			"server": scriptServer,
			"tell":   scriptTell,
			"window": scriptWindow,
			"faster": scriptFaster,
		},
	})
}

// oneByOne runs no script beside another: they would see each other's windows.
type oneByOne struct{ *testing.T }

func (oneByOne) Parallel()     {}
func (oneByOne) Verbose() bool { return testing.Verbose() }

func (o oneByOne) Run(name string, f func(testscript.T)) {
	o.T.Run(name, func(t *testing.T) { f(oneByOne{t}) })
}

// cServer is the C server of winmsg/testdata.
type cServer struct {
	in    *os.File
	lines chan string
}

// server TITLE [VARIABLE]: the C server runs until the script ends, with this title. The
// variable becomes its window's handle.
func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: server TITLE [VARIABLE]")
	}
	cmd := exec.Command(filepath.Join(os.Getenv("PARTYWALL_C_PEERS"), "compare-server.exe"), args[0])
	r, w, err := os.Pipe()
	ts.Check(err)
	defer r.Close()
	cmd.Stdin, cmd.Stderr = r, os.Stderr
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s := &cServer{in: w, lines: make(chan string, 1<<12)}
	go func() {
		defer close(s.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			s.lines <- in.Text()
		}
	}()
	ts.Defer(func() {
		w.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	handle := strings.Fields(s.expect(ts, "ready "))[0]
	if len(args) > 1 {
		ts.Setenv(args[1], "0x"+strings.TrimPrefix(handle, "0x"))
	}
	servers[args[0]] = s
}

// servers are the last ones that were started with a title.
var servers = map[string]*cServer{}

// tell TITLE LINE PREFIX: the server is told a line, and says one with the prefix.
func scriptTell(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: tell TITLE LINE PREFIX")
	}
	s := servers[args[0]]
	if s == nil {
		ts.Fatalf("no server has the title %q", args[0])
	}
	if args[1] != "" {
		_, err := fmt.Fprintln(s.in, args[1])
		ts.Check(err)
	}
	s.expect(ts, args[2])
}

func (s *cServer) expect(ts *testscript.TestScript, prefix string) string {
	timeout := time.After(watchdog)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				ts.Fatalf("the C server has ended before it said %q", prefix)
			}
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return rest
			}
		case <-timeout:
			ts.Fatalf("the C server does not say %q", prefix)
		}
	}
}

// window FILE HANDLE CHECK...: the JSON array in the file has one window with that handle, and
// the checks hold for it.
func scriptWindow(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: window FILE HANDLE [CHECK...]")
	}
	var windows []map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &windows))
	for _, w := range windows {
		if w["handle"] != args[1] {
			continue
		}
		if neg {
			ts.Fatalf("%s has the window %v", args[0], w)
		}
		for _, check := range args[2:] {
			if err := jsonCheck(w, check); err != nil {
				ts.Fatalf("%s: %v: %v", check, err, w)
			}
		}
		return
	}
	if !neg {
		ts.Fatalf("%s does not have the window %s:\n%s", args[0], args[1], ts.ReadFile(args[0]))
	}
}

// served SERVICE: waits until the service is there.
func scriptServed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: served SERVICE")
	}
	for end := time.Now().Add(watchdog); ; time.Sleep(20 * time.Millisecond) {
		if err := ts.Exec("partywall", "ls", "--json"); err == nil && strings.Contains(ts.ReadFile("stdout"), `"service": "`+args[0]+`"`) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("nobody serves %q", args[0])
		}
	}
}

// faster FILE A B: the JSON in the file has a smaller number in field A than in field B.
func scriptFaster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: faster FILE A B")
	}
	object := map[string]any{}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &object))
	ts.Logf("%v", object)
	a, isA := object[args[1]].(float64)
	b, isB := object[args[2]].(float64)
	if !isA || !isB || !(a < b) {
		ts.Fatalf("%s is %v, %s is %v", args[1], object[args[1]], args[2], object[args[2]])
	}
}
