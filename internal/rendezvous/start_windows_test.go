package rendezvous

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func init() { roles["started"] = started }

// started listens under each name that its standard input says.
func started([]string) error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		l, err := Listen(Place{}, lines.Text())
		fmt.Println("done", err)
		if err == nil {
			defer l.Close()
		}
	}
	return nil
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

// The start lock is a file that nobody else can open.
func TestStartLock(t *testing.T) {
	runDir(t)
	leaks := proctest.Watch(t)
	if _, err := TryStartLock(Place{}, "A"); !errors.Is(err, partywall.ErrName) {
		t.Error(err)
	}
	l := startLock(t, "a")
	wantTaken(t, "a", true)
	wantTaken(t, "b", false)
	l.Note(4711)
	if pid := StartingPID(Place{}, "a"); pid != 4711 {
		t.Error(pid)
	}
	listenAs(t, "a").Close() // it is not the server's lock
	wantTaken(t, "a", true)
	l.Unlock()
	wantTaken(t, "a", false)
	if pid := StartingPID(Place{}, "a"); pid != 0 {
		t.Errorf("what the last holder noted: %d", pid)
	}
	leaks.Check()
}

// A process that was started under a lock has it until it listens under that
// very name, or ends.
func TestStartLockIsInherited(t *testing.T) {
	runDir(t)
	under := func(name string) *proctest.Process {
		l := startLock(t, name)
		p := proctest.StartAs(t, func(cmd *exec.Cmd) {
			if err := l.Equip(cmd); err != nil {
				t.Fatal(err)
			}
		}, "started")
		l.Leave()
		return p
	}
	server := under("a")
	server.Say("b")
	server.Expect("done <nil>")
	wantTaken(t, "a", true)
	server.Say("a")
	server.Expect("done <nil>")
	wantTaken(t, "a", false)

	victim := under("c")
	wantTaken(t, "c", true)
	victim.Kill()
	victim.Wait()
	wantTaken(t, "c", false)
}

// The environment is not believed.
func TestStartVariableIsNotTrusted(t *testing.T) {
	runDir(t)
	listenAs(t, "a").Close()
	lock := startLock(t, "a") // so that the file is there
	defer lock.Unlock()
	for what, text := range map[string]string{
		"empty":          "",
		"no number":      "x",
		"below zero":     "-4",
		"zero":           "0",
		"odd":            "7",
		"too large":      "99999999999999999999",
		"not open":       "400000",
		"own":            fmt.Sprint(uintptr(lock.file)),
		"standard input": fmt.Sprint(os.Stdin.Fd()),
	} {
		t.Run(what, func(t *testing.T) {
			t.Setenv(startVariable, text)
			listenAs(t, "a").Close()
			if got := os.Getenv(startVariable); got != text {
				t.Errorf("it became %q", got)
			}
			wantTaken(t, "a", true)
		})
	}
}
