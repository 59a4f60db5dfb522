package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// mainVariable makes this test binary the command: the server process of a test
// is this binary again.
const mainVariable = "PARTYWALL_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		os.Exit(run())
	}
	// A program with the race detector sleeps for a second at its end, unless told
	// not to. These tests start many.
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	testscript.Main(m, map[string]func(){"partywall": func() {
		idlePlan.rounds, idlePlan.round = 3, 20*time.Millisecond
		idlePlan.settle, idlePlan.watch = time.Millisecond, 50*time.Millisecond
		silentBelow, progressTick = 900*time.Millisecond, 50*time.Millisecond
		main()
	}})
}

func TestScripts(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		RequireUniqueNames: true,
		Condition:          func(name string) (bool, error) { return name == "root" && os.Geteuid() == 0, nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    scriptExits,
			"lines":    scriptLines,
			"json":     scriptJSON,
			"library":  scriptLibrary,
			"picture":  scriptPicture,
			"promise":  scriptPromise,
			"psnr":     scriptPSNR,
			"reddish":  scriptReddish,
			"tidy":     scriptTidy,
			"versions": scriptVersions,
		},
	})
}

// exits N COMMAND...: the command's exit status is N.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	for tries := 1; neverRan(err) && tries < 3; tries++ {
		ts.Logf("%v; once more", err)
		err = ts.Exec(args[1], args[2:]...)
	}
	got := 0
	if err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d; it said %s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// neverRan reports whether a process has not been started for a reason of the system's own: Wine 8 says
// ERROR_INTERNAL_ERROR now and then, if a new process ends before its first instruction.
func neverRan(err error) bool {
	return runtime.GOOS == "windows" && errors.Is(err, syscall.Errno(1359))
}

// lines FILE N: the file has N lines, each ended, without trailing blanks or
// control characters.
func scriptLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines FILE N")
	}
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, "\n"); strconv.Itoa(n) != args[1] || text != "" && !strings.HasSuffix(text, "\n") {
		ts.Fatalf("%s has %d lines, want %s:\n%s", args[0], n, args[1], text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimRight(line, " \t\r") != line || strings.ContainsAny(line, "\r\x1b\t") {
			ts.Fatalf("%s: the line %q has blanks at its end or control characters", args[0], line)
		}
	}
}

// tidy: no process and no file is left of what the script has run so far.
func scriptTidy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: tidy")
	}
	if left := left(ts.Getenv("TMPDIR")); len(left) > 0 {
		ts.Fatalf("left behind: %s", strings.Join(left, ", "))
	}
}
