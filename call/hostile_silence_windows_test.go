package call

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func init() { roles["silence-flood"] = silenceFlood }

// silentClients is how many clients connect to a pipe and say nothing.
const silentClients = 300

// silenceFlood connects again and again, says nothing, and goes when it is told: service.
func silenceFlood(args []string) error {
	guard()
	var pipes []windows.Handle
	for range silentClients {
		pipe, err := knock(args[0])
		if err != nil {
			return fmt.Errorf("client %d: %w", len(pipes), err)
		}
		pipes = append(pipes, pipe)
	}
	fmt.Println("silent")
	bufio.NewScanner(os.Stdin).Scan()
	for _, pipe := range pipes {
		if err := windows.CloseHandle(pipe); err != nil {
			return err
		}
	}
	return nil
}

// Hundreds of clients that connect and say nothing keep nobody waiting, neither who has a conn nor
// who comes, and no thread.
func TestHostileSilence(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	v := newVictimServer(t)
	before := proctest.Threads(t, os.Getpid())
	liar := proctest.Start(t, "silence-flood", v.Service())
	liar.Expect("silent")
	v.serves()
	latecomer := proctest.Start(t, "honest-client", v.Service())
	latecomer.Say("more")
	latecomer.Expect("served")
	// A pipe that is looked at keeps a thread for that moment.
	n := proctest.Threads(t, os.Getpid())
	t.Logf("%d threads with %d silent clients, %d without", n, silentClients, before)
	if n > before+silentClients/4 {
		t.Error("they cost too many threads")
	}
	for _, p := range []*proctest.Process{liar, latecomer} {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	v.serves()
	v.close()
	leaks.Check()
}

// What a lock file may say that no server has written. None of it leads to a conn, and a server that
// comes takes the name all the same.
func TestHostileLockFile(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	shortHandshake(t)
	v := newVictimClient(t)
	honest, err := os.ReadFile(lockPath("honest"))
	if err != nil {
		t.Fatal(err)
	}
	pipe := string(honest[:33]) // with its newline
	const nobody = "00112233445566778899aabbccddeeff\n"
	for what, text := range map[string]string{
		"nothing":                  "",
		"garbage":                  "\x00\xff garbage",
		"a name alone":             "squat\n",
		"no newline":               nobody + "squat",
		"a pipe of nobody":         nobody + "squat\n",
		"another name":             pipe + "honest\n",
		"a bad name":               pipe + "No Name\n",
		"a path for a pipe":        `..\..\..\pipe\0011223344556` + "\nsquat\n",
		"capitals":                 "00112233445566778899AABBCCDDEEFF\nsquat\n",
		"a remote machine's":       `\\.\UNC\127.0.0.1\pipe\x1234567` + "\nsquat\n",
		"more than it may":         pipe + "squat\n" + string(make([]byte, 10_000)),
		"the pipe of another name": pipe + "squat\n", // found out in the handshake
	} {
		t.Run(what, func(t *testing.T) {
			if err := os.WriteFile(lockPath("squat"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if c, err := Dial(t.Context(), "squat"); !errors.Is(err, partywall.ErrNotFound) {
				t.Errorf("dialling: %v, %v", c, err)
			}
			if srv, err := Listen("squat"); err != nil {
				t.Errorf("listening: %v", err)
			} else if err := srv.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	v.serves()
	v.close()
	leaks.Check()
}
