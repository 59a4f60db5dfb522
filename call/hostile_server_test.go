//go:build linux || windows

package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// A serverLie is one attack of a server on its client.
type serverLie struct {
	name string

	// join replaces all that a server does, and greet the handshake after HELLO; Dial fails
	// then, unless lives.
	join  func(name *taking) error
	greet func(l *lyingServer) error

	// lie tells it, on a conn that is made. The server is honest afterwards. Both
	// may be nil.
	prepare func(l *lyingServer)
	lie     func(l *lyingServer) error

	// do is what the victim does, with what patience it has: a call of lie.add
	// unless it is set. It returns the call's error, or says that a result is wrong.
	do func(ctx context.Context, c *Conn) error

	// want is what the error of Dial or of do wraps, unless it is errNone: that
	// the peer broke the protocol, unless it is set.
	want error

	// lives: the conn goes on and is served rightly. Otherwise it has ended, with
	// an error that wraps want.
	lives bool
}

func allServerLies() []serverLie {
	return slices.Concat(welcomeLies, strangeWelcomes, answerLies, resultLies, leaseLies, schemaLies, dynamicLies, selfLies, keptLies, replyLies, strangeReplies, silences)
}

func init() { roles["hostile-server"] = hostileServer }

// hostileServer is the process of a lying server, with one client for each lie: service.
func hostileServer(args []string) error {
	lies := allServerLies()
	return tellLies(func(name string) error {
		a := lies[slices.IndexFunc(lies, func(a serverLie) bool { return a.name == name })]
		if err := a.tell(args[0]); err != nil && !errors.Is(err, errEnded) {
			return err
		}
		return nil
	})
}

func (a serverLie) tell(service string) error {
	name, err := takeName(service)
	if err != nil {
		return err
	}
	defer name.Close()
	fmt.Println("listening")
	if a.join != nil {
		return a.join(name)
	}
	l, err := newLyingServer(name)
	if err != nil {
		return err
	}
	defer l.hangUp()
	if a.prepare != nil {
		a.prepare(l)
	}
	if a.greet != nil {
		if err := a.greet(l); err != nil && !errors.Is(err, errEnded) {
			return err
		}
		if l.control == nil { // the victim ends the conn
			for err == nil {
				_, err = l.receive()
			}
			return nil
		}
	} else if err := l.greet(honestly); err != nil {
		return err
	}
	if a.lie != nil {
		if err := a.lie(l); err != nil && !errors.Is(err, errEnded) {
			return err
		}
	}
	return l.serve()
}

// A victimClient is the test's process, which an honest server must go on
// serving while others lie to it.
type victimClient struct {
	t      testing.TB
	server *proctest.Process
	liars  *liars
	conn   *Conn
	more   chan struct{}
	rounds chan error
}

func newVictimClient(t testing.TB) *victimClient {
	t.Helper()
	setUp(t)
	v := &victimClient{t: t, more: make(chan struct{}), rounds: make(chan error)}
	v.liars = &liars{t: t, role: "hostile-server", args: []string{"liar"}}
	v.server = proctest.Start(t, "victim-server", "honest")
	v.server.Expect("ready")
	var err error
	if v.conn, err = Dial(t.Context(), "honest", Expect(lieAdd)); err != nil {
		t.Fatal(err)
	}
	go callOnAndOn(v.conn, v.more, v.rounds)
	v.serves()
	return v
}

// serves checks that the honest server's conn works.
func (v *victimClient) serves() {
	v.t.Helper()
	select {
	case v.more <- struct{}{}:
		if err := <-v.rounds; err != nil {
			v.t.Error(err)
		}
	case err := <-v.rounds:
		v.t.Fatal(err)
	}
}

func (v *victimClient) close() {
	v.t.Helper()
	v.liars.close(v.t)
	close(v.more)
	for err := range v.rounds {
		v.t.Error(err)
	}
	if err := v.conn.Close(); err != nil {
		v.t.Error(err)
	}
	if err := v.server.Wait(); err != nil {
		v.t.Errorf("the honest server: %v", err)
	}
}

// attack has one lie told by a process of its own.
func (v *victimClient) attack(t *testing.T, a serverLie) {
	liar, leaks := v.liars.tell(t, a.name)
	liar.Expect("listening")
	v.suffer(t, a)
	v.liars.enough(t)
	v.serves()
	leaks.check()
}

// suffer is the victim's part.
func (v *victimClient) suffer(t *testing.T, a serverLie) {
	if a.want == nil {
		a.want = partywall.ErrProtocol
	}
	if a.do == nil {
		a.do = addOnce
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := Dial(ctx, "liar")
	if (a.greet != nil || a.join != nil) && !a.lives {
		if err == nil {
			c.Close()
		}
		expectError(t, "Dial", err, a.want)
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer closeInTime(t, c)
	expectError(t, "the call", a.do(ctx, c), a.want)
	if a.lives {
		if err := addOnce(ctx, c); err != nil || c.Err() != nil {
			t.Errorf("afterwards: %v; the conn: %v", err, c.Err())
		}
		return
	}
	select {
	case <-c.Done():
		expectError(t, "the conn", c.Err(), a.want)
	case <-time.After(patience):
		t.Error("the conn has not ended")
	}
}

// closeInTime closes a conn, unless a call that has not ended, or has panicked, keeps it
// open.
func closeInTime(t *testing.T, c *Conn) {
	closed := make(chan struct{})
	go func() {
		c.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Error("Close does not return")
	}
}

// expectError checks an error, and that it is fit to be printed.
func expectError(t *testing.T, what string, err, want error) {
	t.Helper()
	switch {
	case want == errNone && err == nil:
	case want == errNone:
		t.Errorf("%s: %v", what, err)
	case !errors.Is(err, want):
		t.Errorf("%s: got the error %v, want what wraps %v", what, err, want)
	case cleanText(err.Error()) != err.Error() || strings.Contains(err.Error(), "\x1b"):
		t.Errorf("%s: the error %q is not fit for a terminal", what, err)
	}
}

func TestHostileServer(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	shortHandshake(t)
	v := newVictimClient(t)
	for _, a := range allServerLies() {
		t.Run(a.name, func(t *testing.T) { v.attack(t, a) })
	}
	v.close()
	leaks.Check()
}
