//go:build linux || windows

package rendezvous

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	got, err := Names(Place{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNames(t *testing.T) {
	dir := runDir(t)
	leaks := proctest.Watch(t)
	wantNames(t, "")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("Names has made the run directory")
	}
	longest := strings.Repeat("x", partywall.MaxName)
	b, a, x := listenAs(t, "b/c"), listenAs(t, "a"), listenAs(t, longest)
	wantNames(t, "", "a", "b/c", longest)
	wantNames(t, dir, "a", "b/c", longest)
	wantNames(t, t.TempDir()+"/absent")
	a.Close()
	wantNames(t, "", "b/c", longest)
	b.Close()
	x.Close()
	wantNames(t, "")
	listenAs(t, "a").Close()
	leaks.Check()
}

// Whoever lists the names is not noticed by those who serve them: nobody is
// accepted, and the name stays free for whoever takes it.
func TestNamesDisturbNobody(t *testing.T) {
	dir := runDir(t)
	l := listenAs(t, "a")
	for range 100 {
		wantNames(t, dir, "a")
	}
	c, err := Dial(context.Background(), Place{}, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	link, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	if err := c.Send(7, nil, nil); err != nil {
		t.Fatal(err)
	}
	want(t, link, 7, nil) // the first that was accepted is the one who dialled

	l.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := Names(Place{Dir: dir}); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	for range 200 {
		listenAs(t, "a").Close() // or it is taken
	}
	close(stop)
	<-stopped
}

// A server that was killed leaves its socket, but is not listed.
func TestNamesOfTheDead(t *testing.T) {
	dir := runDir(t)
	victim, other := proctest.Start(t, "hold", "victim"), proctest.Start(t, "hold", "other")
	victim.Expect("listening")
	other.Expect("listening")
	wantNames(t, dir, "other", "victim")
	victim.Kill()
	victim.Wait()
	wantSockets(t, dir, 2)
	wantNames(t, dir, "other")
	listenAs(t, "victim")
	wantNames(t, dir, "other", "victim")
}
