//go:build linux || windows

package call_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/rendezvous"
)

// A server that fails because another has taken the name meanwhile has not failed
// the client.
func TestStartLosesToAnother(t *testing.T) {
	s := newStartTest(t)
	var other *call.Server
	conn, err := call.Dial(t.Context(), s.name, call.StartCommand(func() *exec.Cmd {
		var err error
		if other, err = call.Listen(s.name); err != nil {
			t.Fatal(err)
		}
		go other.Serve(context.Background())
		return s.command()
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	defer conn.Close()
	if conn.Peer().PID != os.Getpid() {
		t.Error(conn.Peer())
	}
}

// A server that is leaving ends conns in the handshake: that is waited out. One that
// does nothing else is reported.
func TestStartAfterOneThatLeaves(t *testing.T) {
	s := newStartTest(t)
	leave := func(after int) {
		l, err := rendezvous.Listen(rendezvous.Place{}, s.name)
		if err != nil {
			t.Fatal(err)
		}
		var once sync.Once
		end := func() { once.Do(func() { l.Close() }) }
		t.Cleanup(end)
		go func() {
			defer end()
			for range after {
				link, err := l.Accept()
				if err != nil {
					return
				}
				link.Close()
			}
		}()
	}
	leave(3)
	conn, err := call.Dial(t.Context(), s.name, s.start())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	s.end(s.wantStarted(1).pid)

	leave(1000)
	if err := s.dialFails(t.Context(), s.start()); !errors.Is(err, partywall.ErrPeerGone) || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	s.wantStarted(1)
}
