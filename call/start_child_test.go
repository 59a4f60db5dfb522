//go:build linux || windows

package call_test

import (
	"context"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// dial dials, asks who serves, and checks that it is the server started last.
func (s *startTest) dial(options ...call.DialOption) (pid int) {
	s.t.Helper()
	pid, err := askNewer(0, func(ctx context.Context) (*call.Conn, error) { return call.Dial(ctx, s.name, options...) })
	if err != nil {
		s.t.Fatal(err)
	}
	if all := s.started(); len(all) > 0 && all[len(all)-1].pid != pid {
		s.t.Errorf("process %d serves; started were %v", pid, all)
	}
	return pid
}

// The server goes on when the client is killed, and what it writes then does it no
// harm.
func TestStartedServerSurvivesItsClient(t *testing.T) {
	s := newStartTest(t)
	client := s.clients(1)[0]
	client.Say("dial 0")
	pid := s.served([]*proctest.Process{client})
	if e := s.wantStarted(1); e.pid != pid || e.parent != client.PID() {
		t.Errorf("%v, by %d", e, client.PID())
	}
	client.Kill()
	client.Wait()
	for range 3 {
		if got := s.dial(); got != pid {
			t.Errorf("%d serves, not %d", got, pid)
		}
	}
}

// A server that takes its time to listen, and then to serve, is waited for, by the
// one who has started it and by others.
func TestStartSlowServer(t *testing.T) {
	s := newStartTest(t)
	defer call.SetHandshakeTimeout(100 * time.Millisecond)()
	o := s.start("START_LISTEN=300ms", "START_SERVE=600ms")
	got := make(chan int, 4)
	for range cap(got) {
		go func() {
			pid, err := askNewer(0, func(ctx context.Context) (*call.Conn, error) { return call.Dial(ctx, s.name, o) })
			if err != nil {
				t.Error(err)
			}
			got <- pid
		}()
	}
	for range cap(got) {
		<-got
	}
	s.wantStarted(1)
	s.wantFree()
}
