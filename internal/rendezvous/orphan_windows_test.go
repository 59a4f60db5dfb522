package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/proctest"
)

func init() {
	roles["half a starter"] = halfStarter
	roles["orphan"] = orphan
}

// halfStarter takes the start lock and makes a server, and comes no further. The server's thread is stopped if the second
// argument says so: CreateProcess always makes it so, and resumes it as its last step.
func halfStarter(args []string) error {
	l, err := TryStartLock(Place{}, args[0])
	if err != nil {
		return err
	}
	cmd := exec.Command(os.Args[0], args[0])
	cmd.Env = append(os.Environ(), "PARTYWALL_PROCTEST_ROLE=orphan") // and not this one's role
	if args[1] == "stopped" {
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED}
	}
	if err := l.Equip(cmd); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Println(cmd.Process.Pid)
	time.Sleep(4 * proctest.Watchdog)
	return nil
}

// orphan is a server that listens once it is noted.
func orphan(args []string) error {
	for StartingPID(Place{}, args[0]) != os.Getpid() {
		time.Sleep(10 * time.Millisecond)
	}
	l, err := Listen(Place{}, args[0])
	if err != nil {
		return err
	}
	defer l.Close()
	time.Sleep(4 * proctest.Watchdog)
	return nil
}

// A server comes up, and frees the start lock, even if the client that has started it was killed before it had it run.
func TestOrphanIsResumed(t *testing.T) {
	for _, state := range []string{"stopped", "running"} {
		t.Run(state, func(t *testing.T) {
			runDir(t)
			starter := proctest.Start(t, "half a starter", "a", state)
			pid, err := strconv.Atoi(starter.Line())
			if err != nil {
				t.Fatal(err)
			}
			child, err := windows.OpenProcess(windows.PROCESS_TERMINATE|windows.SYNCHRONIZE, false, uint32(pid))
			if err != nil {
				t.Fatal(err)
			}
			defer windows.CloseHandle(child)
			defer windows.TerminateProcess(child, 1)

			// As long as the starter lives, it is his to resume it.
			wantTaken(t, "a", true)
			if pid := StartingPID(Place{}, "a"); pid != 0 {
				t.Errorf("process %d is noted", pid)
			}
			starter.Kill()
			starter.Wait()

			leaks := proctest.Watch(t)
			wantTaken(t, "a", true)
			if got := StartingPID(Place{}, "a"); got != pid {
				t.Errorf("process %d is noted, not %d", got, pid)
			}
			for end := time.Now().Add(proctest.Watchdog); ; time.Sleep(10 * time.Millisecond) {
				l, err := TryStartLock(Place{}, "a")
				if err == nil {
					l.Unlock()
					break
				}
				if !errors.Is(err, ErrStarting) || time.Now().After(end) {
					t.Fatal(err)
				}
			}
			if names, err := Names(Place{}); err != nil || len(names) != 1 {
				t.Errorf("served are %q, %v", names, err)
			}
			leaks.Check()
		})
	}
}

// The note is not believed: it leads to a process only if that has the start lock of the name.
func TestStarterNoteIsNotTrusted(t *testing.T) {
	dir := runDir(t)
	victim := proctest.StartAs(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED}
	}, "hold", "a")
	defer victim.Wait()
	defer victim.Kill()
	lock := startLock(t, "a")
	defer lock.Unlock()
	note := dir + `\` + startingFile(lock.stem)
	honest, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	me := os.Getpid() // the victim's parent
	for what, text := range map[string]string{
		"honest, and alive":  string(honest),
		"empty":              "",
		"words":              "starter\n",
		"no end":             strings.TrimSuffix(string(honest), "\n"),
		"more":               string(honest) + "x",
		"a space too much":   "starter " + string(honest),
		"below zero":         "starter -1 -1 -1\n",
		"too large":          "starter 4294967296 18446744073709551616 99999999999999999999\n",
		"nobody":             "starter 0 0 0\n",
		"another's time":     fmt.Sprintf("starter %d 1 %d\n", me, lock.file),
		"and no handle":      fmt.Sprintf("starter %d 1 0\n", me),
		"and a pseudohandle": fmt.Sprintf("starter %d 1 %d\n", me, windows.CurrentProcess()),
	} {
		t.Run(what, func(t *testing.T) {
			if err := os.WriteFile(note, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			wantTaken(t, "a", true)
			if got, err := os.ReadFile(note); err != nil || string(got) != text {
				t.Errorf("the note became %q, %v", got, err)
			}
		})
	}
}
