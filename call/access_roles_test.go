//go:build linux || windows

package call_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

const accessName = "access"

func init() {
	call.RegisterRole("access dial", accessDial)
	call.RegisterRole("access serve", accessServe)
}

// sentinels are the errors that a role can name to the test.
var sentinels = map[string]error{
	"ErrAccess":   partywall.ErrAccess,
	"ErrNotFound": partywall.ErrNotFound,
	"ErrRunning":  partywall.ErrRunning,
	"ErrPeerGone": partywall.ErrPeerGone,
	"ErrBusy":     partywall.ErrBusy,
	"ErrTooLarge": partywall.ErrTooLarge,
	"ErrProtocol": partywall.ErrProtocol,
}

// describe puts an error into one line: the names of what it is, and its text.
func describe(err error) string {
	if err == nil {
		return "ok"
	}
	line := ""
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(sentinels))) { // ErrAccess before EACCES
		if errors.Is(err, sentinels[name]) {
			line += name + " "
		}
	}
	return fmt.Sprintf("%s%q", line, err)
}

// accessDial dials and says how that went.
func accessDial(args []string) error {
	c, err := call.Dial(context.Background(), args[0])
	fmt.Println(describe(err))
	if err == nil {
		c.Close()
	}
	return nil
}

// accessServe takes the name and holds it until its standard input ends.
func accessServe(args []string) error {
	srv, err := call.Listen(args[0])
	fmt.Println(describe(err))
	if err != nil {
		return nil
	}
	askM.Handle(srv, (&ledger{wrong: wrongInRole, seen: map[uint64]struct{}{}}).answer)
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		srv.Close()
	}()
	return srv.Serve(context.Background())
}

// openTempDir is a temporary directory that others can search on Linux, unlike that of
// testing.T. Its path is short enough for a socket's.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runDir makes a run directory that others can see but not enter, and says so to
// this process and those that it starts.
func runDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(openTempDir(t), "run")
	makeRunDir(t, dir)
	t.Setenv("PARTYWALL_DIR", dir)
	return dir
}

// serveAccess serves accessName in this process. What the server complains of comes
// through the channel.
func serveAccess(t *testing.T) <-chan error {
	t.Helper()
	complaints := make(chan error, 16)
	srv, err := call.Listen(accessName, call.OnError(func(err error) { complaints <- err }))
	if err != nil {
		t.Fatal(err)
	}
	askM.Handle(srv, (&ledger{wrong: func(err error) { complaints <- err }, seen: map[uint64]struct{}{}}).answer)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return complaints
}
