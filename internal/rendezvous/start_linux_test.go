package rendezvous

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func init() { roles["started"] = started }

// started does what its standard input says: "listen NAME"; "run NAME", which has it
// start another process under that name's start lock, to live on; "look".
func started([]string) error {
	var held []*Listener
	defer func() { runtime.KeepAlive(held) }()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		verb, name, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch verb {
		case "listen":
			var l *Listener
			l, err = Listen(Place{}, name)
			held = append(held, l)
		case "run":
			err = runUnderLock(name)
		case "look":
			fmt.Printf("has %v, %q\n", startFiles(os.Getpid()), os.Getenv(startVariable))
			continue
		}
		fmt.Println("done", err)
	}
	return nil
}

func runUnderLock(name string) error {
	lock, err := TryStartLock(Place{}, name)
	if err != nil {
		return err
	}
	cmd := exec.Command("sleep", "60")
	if err := errors.Join(lock.Equip(cmd), cmd.Start()); err != nil {
		return err
	}
	lock.Note(cmd.Process.Pid)
	return lock.Leave()
}

// startFiles returns the start locks that a process has open.
func startFiles(pid int) (files []string) {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasSuffix(target, ".start") {
			files = append(files, filepath.Base(target))
		}
	}
	return files
}

func startLock(t *testing.T, name string) *StartLock {
	t.Helper()
	l, err := TryStartLock(Place{}, name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// wantTaken checks whether a start lock is taken.
func wantTaken(t *testing.T, name string, taken bool) {
	t.Helper()
	l, err := TryStartLock(Place{}, name)
	if err == nil {
		l.Unlock()
	}
	if errors.Is(err, ErrStarting) != taken || !taken && err != nil {
		t.Errorf("the start lock of %q: %v; taken should be %v", name, err, taken)
	}
}

// startUnder starts a process under a lock.
func startUnder(t *testing.T, l *StartLock) *proctest.Process {
	t.Helper()
	return proctest.StartAs(t, func(cmd *exec.Cmd) {
		// The lock is then no descriptor that one which the process has for a server
		// of its own takes the place of.
		cmd.ExtraFiles = []*os.File{os.Stderr, os.Stderr}
		if err := l.Equip(cmd); err != nil {
			t.Fatal(err)
		}
	}, "started")
}

func TestStartLock(t *testing.T) {
	dir := runDir(t)
	leaks := proctest.Watch(t)
	if pid := StartingPID(Place{}, "a"); pid != 0 {
		t.Error(pid)
	}
	if l, err := TryStartLock(Place{}, "A"); !errors.Is(err, partywall.ErrName) {
		t.Error(l, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("made for nothing:", err)
	}
	l := startLock(t, "a")
	wantTaken(t, "a", true)
	wantTaken(t, "b", false)
	l.Note(4711)
	if pid := StartingPID(Place{}, "a"); pid != 4711 {
		t.Error(pid)
	}
	// It is not the server's lock.
	listenAs(t, "a").Close()
	wantTaken(t, "a", true)
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	wantTaken(t, "a", false)
	if pid := StartingPID(Place{}, "a"); pid != 0 {
		t.Errorf("what the last holder noted: %d", pid)
	}
	if err := startLock(t, "a").Leave(); err != nil {
		t.Error(err)
	}
	wantTaken(t, "a", false)
	if st, err := os.Stat(filepath.Join(dir, fileStem("a")+".start")); err != nil || st.Mode() != 0o600 {
		t.Error(st, err)
	}
	leaks.Check()
}

// A process that was started under a lock has it until it listens under that
// very name, or ends.
func TestStartLockIsInherited(t *testing.T) {
	runDir(t)
	l := startLock(t, "a")
	server := startUnder(t, l)
	server.Say("listen b")
	server.Expect("done <nil>")
	wantTaken(t, "a", true)
	server.Say("listen a")
	server.Expect("done <nil>")
	wantTaken(t, "a", false) // though its starter has it still
	if err := l.Leave(); err != nil {
		t.Error(err)
	}
	server.Say("look")
	if got := server.Expect("has "); got != `[], ""` {
		t.Error(got)
	}

	l = startLock(t, "c")
	victim := startUnder(t, l)
	l.Leave()
	wantTaken(t, "c", true)
	victim.Kill()
	victim.Wait()
	wantTaken(t, "c", false)

	// Whoever unlocks, unlocks for all.
	l = startLock(t, "c")
	startUnder(t, l)
	l.Unlock()
	wantTaken(t, "c", false)
}

// A process that has not listened yet keeps the lock to itself when it starts a
// server in turn.
func TestStartLockIsNotPassedOn(t *testing.T) {
	runDir(t)
	l := startLock(t, "first")
	first := startUnder(t, l)
	l.Leave()
	first.Say("run second")
	first.Expect("done <nil>")
	second := StartingPID(Place{}, "second")
	t.Cleanup(func() { _ = unix.Kill(second, unix.SIGKILL) })
	if got := startFiles(second); len(got) != 1 || got[0] != fileStem("second")+".start" {
		t.Errorf("process %d, the second, has %v", second, got)
	}
	wantTaken(t, "first", true)
	wantTaken(t, "second", true)
	first.Say("listen first")
	first.Expect("done <nil>")
	wantTaken(t, "first", false)
	wantTaken(t, "second", true)
	first.Say("look")
	if got := first.Expect("has "); got != `[], ""` {
		t.Error(got)
	}

	l = startLock(t, "third")
	third := startUnder(t, l)
	l.Leave()
	third.Say("run fourth")
	third.Expect("done <nil>")
	fourth := StartingPID(Place{}, "fourth")
	t.Cleanup(func() { _ = unix.Kill(fourth, unix.SIGKILL) })
	wantTaken(t, "third", true)
	third.Kill()
	third.Wait()
	wantTaken(t, "third", false)
	wantTaken(t, "fourth", true)
}

// The command's own files and environment stay as they are.
func TestStartLockKeepsTheCommand(t *testing.T) {
	dir := runDir(t)
	l := startLock(t, "a")
	defer l.Unlock()
	mine, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	files := make([]*os.File, 2, 8) // with room, which is the caller's
	files[0], files[1] = mine, os.Stderr
	cmd := exec.Command("sh", "-c", `readlink /proc/self/fd/3 /proc/self/fd/$PARTYWALL_START_LOCK; echo "$MINE $PARTYWALL_DIR $PARTYWALL_START_LOCK"`)
	cmd.Env, cmd.ExtraFiles = []string{"MINE=1", "PARTYWALL_DIR=/elsewhere", "PATH=" + os.Getenv("PATH")}, files
	if err := l.Equip(cmd); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	lock := filepath.Join(dir, fileStem("a")+".start")
	if want := os.DevNull + "\n" + lock + "\n1 " + dir + " 5\n"; err != nil || string(out) != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
	if files[:3][2] != nil {
		t.Error("the caller's array was written to")
	}
}

// The environment is not believed.
func TestStartVariableIsNotTrusted(t *testing.T) {
	dir := runDir(t)
	listenAs(t, "a").Close()
	lock := startLock(t, "a") // so that the file is there, and closed on exec as always
	defer lock.Unlock()
	inherited := func(path string) int { // as if
		fd, err := unix.Open(path, unix.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	stem := filepath.Join(dir, fileStem("a"))
	for what, text := range map[string]string{
		"empty":          "",
		"no number":      "x",
		"below zero":     "-1",
		"standard input": "0",
		"standard error": "2",
		"too large":      "99999999999999999999",
		"not open":       "100000",
		"own":            strconv.Itoa(int(lock.file.Fd())),
		"another file":   strconv.Itoa(inherited(stem + ".lock")),
		"a directory":    strconv.Itoa(inherited(dir)),
		"a device":       strconv.Itoa(inherited(os.DevNull)),
	} {
		t.Run(what, func(t *testing.T) {
			t.Setenv(startVariable, text)
			leaks := proctest.Watch(t)
			listenAs(t, "a").Close()
			if got := os.Getenv(startVariable); got != text {
				t.Errorf("it became %q", got)
			}
			wantTaken(t, "a", true)
			leaks.Check()
		})
	}
}
