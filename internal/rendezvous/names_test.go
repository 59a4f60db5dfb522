//go:build linux || windows

package rendezvous

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// roles are what this test binary can be as another process.
var roles = proctest.Roles{"hold": holdName}

func TestMain(m *testing.M) {
	proctest.Main(m, roles)
}

// holdName listens under a name until it is told to end, or dies.
func holdName(args []string) error {
	l, err := Listen(Place{}, args[0])
	if err != nil {
		return err
	}
	fmt.Println("listening")
	bufio.NewScanner(os.Stdin).Scan()
	return l.Close()
}

// runDir gives the test a run directory of its own.
func runDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	t.Setenv("PARTYWALL_DIR", dir)
	return dir
}

func listenAs(t *testing.T, name string) *Listener {
	t.Helper()
	l, err := Listen(Place{}, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestDialFindsTheListener(t *testing.T) {
	runDir(t)
	names := []string{"a", "b/c", strings.Repeat("x", partywall.MaxName)}
	for i, name := range names {
		l := listenAs(t, name)
		for range 3 {
			client, err := Dial(context.Background(), Place{}, name)
			if err != nil {
				t.Fatal(err)
			}
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Send(1, []byte(name), nil); err != nil {
				t.Fatal(err)
			}
			want(t, server, 1, []byte(names[i]))
			if p := client.Peer(); p.PID != os.Getpid() || p != server.Peer() {
				t.Errorf("%v and %v", p, server.Peer())
			}
			client.Close()
			if _, err := server.Receive(); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			server.Close()
		}
	}
}

func TestListenerCloses(t *testing.T) {
	dir := runDir(t)
	leaks := proctest.Watch(t)
	l := listenAs(t, "a")
	accepted := make(chan error)
	go func() { _, err := l.Accept(); accepted <- err }()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("twice: %v", err)
	}
	if _, err := Dial(context.Background(), Place{}, "a"); !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), `"a"`) {
		t.Error(err)
	}
	// Only the lock file stays, since whoever removed it could remove another's.
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || !strings.HasSuffix(left[0], ".lock") {
		t.Errorf("left: %v, %v", left, err)
	}
	leaks.Check()
}

func TestOneHolderAtATime(t *testing.T) {
	runDir(t)
	other := proctest.Start(t, "hold", "a")
	other.Expect("listening")
	if _, err := Listen(Place{}, "a"); !errors.Is(err, partywall.ErrRunning) || !strings.Contains(err.Error(), `"a"`) {
		t.Fatal(err)
	}
	listenAs(t, "b").Close()

	// A failed Listen has not disturbed the holder.
	c, err := Dial(context.Background(), Place{}, "a")
	if err != nil {
		t.Fatal(err)
	}
	c.Close()

	other.Say("end")
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	listenAs(t, "a").Close()
}

// A holder that is killed leaves its socket. The name is free at once all the
// same, and a client meets nobody or the successor, never a ghost.
func TestHolderIsKilled(t *testing.T) {
	dir := runDir(t)
	for range 3 {
		other := proctest.Start(t, "hold", "a")
		other.Expect("listening")
		other.Kill()
		other.Wait()
		wantSockets(t, dir, 1)
		if _, err := Dial(context.Background(), Place{}, "a"); !errors.Is(err, partywall.ErrNotFound) {
			t.Errorf("a dead service: %v", err)
		}
		l, err := Listen(Place{}, "a")
		if err != nil {
			t.Fatal(err)
		}
		c, err := Dial(context.Background(), Place{}, "a")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		l.Close()
	}
}

// Of many who want a name, one gets it.
func TestListenRace(t *testing.T) {
	runDir(t)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for range 20 {
				l, err := Listen(Place{}, "a")
				if err != nil {
					if !errors.Is(err, partywall.ErrRunning) {
						t.Error(err)
					}
					continue
				}
				// Nobody takes the socket away from its holder.
				if c, err := Dial(context.Background(), Place{}, "a"); err != nil {
					t.Error(err)
				} else {
					c.Close()
				}
				l.Close()
			}
		})
	}
	group.Wait()
}

func TestDialEndsWithItsContext(t *testing.T) {
	runDir(t)
	listenAs(t, "a")
	ctx, cancel := context.WithCancel(context.Background())
	var links []*Link
	failed := make(chan error)
	go func() {
		for {
			l, err := Dial(ctx, Place{}, "a")
			if err != nil {
				failed <- err
				return
			}
			links = append(links, l)
		}
	}()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, l := range links {
		l.Close()
	}
}

func TestNoRunDirectory(t *testing.T) {
	dir := runDir(t)
	if _, err := Dial(context.Background(), Place{}, "a"); !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("Dial has made the run directory")
	}
	t.Setenv("PARTYWALL_DIR", filepath.Join(dir, "below"))
	if _, err := Listen(Place{}, "a"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a parent: %v", err)
	}
}
