package call

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// Start has [Dial] start the server if nobody serves the name: a program and its
// arguments, as for [exec.Command]. However many clients dial at once, in however
// many processes, one of them starts it, and it serves them all, even if the one
// that has started it dies. The server has to [Listen] under the name; nothing else
// is asked of it.
//
// The server outlives its client. It runs in a session of its own, so that neither
// Ctrl-C in the client's terminal nor the terminal's end reaches it; a service
// manager that ends the client with all that it has started ends the server too. It
// inherits the working directory and the environment, where PARTYWALL_DIR becomes
// the run directory. It reads nothing, and writes to a file in the run directory
// that is made anew at each start. [StartCommand] changes all that.
//
// Dial returns when the server answers. It gives up, and says what the server has
// said last, when the command cannot be started or ends with a failure; the error
// then wraps [partywall.ErrNotFound] and the error of [exec.Cmd.Start] or
// [exec.Cmd.Wait]. A command that ends well may have left the server in the
// background, so Dial goes on waiting. If the context ends first, the server is
// left to come up for the next client. A context without a deadline is given thirty
// seconds, after which the error wraps [os.ErrDeadlineExceeded].
//
// A Dial starts at most one server. When that fails, the next client that waits
// starts its own, since its command may be another: one after the other, never at
// once.
func Start(command ...string) DialOption {
	if len(command) == 0 || command[0] == "" {
		return dialOption(func(c *dialConfig) { c.start = starter{wrong: "call.Start has no command"} })
	}
	command = slices.Clone(command)
	return StartCommand(func() *exec.Cmd { return exec.Command(command[0], command[1:]...) })
}

// StartCommand is [Start] with a command of any kind. Dial calls f at most once,
// when it is its turn to start the server.
//
// What the command sets stays: its environment (where PARTYWALL_DIR and
// PARTYWALL_START_LOCK are added), directory, input, output, and more files. A
// SysProcAttr that it sets is left alone too, and the server is then only in a
// session of its own if that says so. Output should go to an [os.File]: anything
// else is copied by this process, and the server loses it, and dies of the next
// write, when this process ends.
func StartCommand(f func() *exec.Cmd) DialOption {
	s := starter{command: f}
	if f == nil {
		s.wrong = "call.StartCommand has no function"
	}
	return dialOption(func(c *dialConfig) { c.start = s })
}

// starter is how Dial has been told to start the server.
type starter struct {
	command func() *exec.Cmd // nil: not at all
	wrong   string           // what is wrong with the telling
}

// startTimeout bounds the wait for a server that is being started, if the context
// has no deadline. Tests shorten it.
var startTimeout = 30 * time.Second

const (
	// lostInHandshake is how many conns may end in the handshake because their server
	// leaves, before Dial takes that for the server's habit.
	lostInHandshake = 16

	// lastLooks is how long Dial still looks for a server after its own has failed: if
	// that was because another process has taken the name, that one can be found, or
	// will be in an instant.
	lastLooks = 20 * time.Millisecond
)

// reach connects to the service, whose server it starts if it is missing and the
// options say so.
func (c *dialConfig) reach(ctx context.Context, name string) (*Conn, error) {
	if c.start.wrong != "" {
		return nil, fmt.Errorf("dial %q: %s", name, c.start.wrong)
	}
	conn, err := c.connect(ctx, name)
	if c.start.command == nil || !errors.Is(err, partywall.ErrNotFound) && !leaves(err) {
		return conn, err
	}
	bounded := ctx
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, startTimeout)
		defer cancel()
	}
	s := starting{config: c, name: name, last: err}
	defer s.release()
	if conn, err = s.run(bounded); conn == nil && bounded.Err() != nil {
		why := ctx.Err()
		if why == nil {
			why = os.ErrDeadlineExceeded
		}
		return nil, s.late(why)
	}
	return conn, err
}

// connect connects to whoever serves now.
func (c *dialConfig) connect(ctx context.Context, name string) (*Conn, error) {
	link, err := rendezvous.Dial(ctx, c.place, name)
	if err != nil {
		return nil, err
	}
	conn, err := attach(ctx, name, link)
	if err != nil {
		link.Close()
		return nil, fmt.Errorf("dial %q: %w", name, err)
	}
	return conn, nil
}

// leaves reports whether the server was there but is ending.
func leaves(err error) bool {
	return errors.Is(err, partywall.ErrShutdown) || errors.Is(err, partywall.ErrPeerGone)
}

// A starting is one Dial's part in a start. Whoever has the start lock and finds
// nobody starts the server; everybody else looks again and again for a server, or for
// the lock.
type starting struct {
	config *dialConfig
	name   string
	last   error // what dialling came to
	lost   int   // conns that ended in the handshake

	lock   *rendezvous.StartLock // if it is this Dial's turn
	others bool                  // it was another's
	server *child                // if this Dial has started it
	found  bool                  // whoever serves can be found without the lock
	since  time.Time             // when the present wait has begun
	failed bool                  // it is the wait for somebody else, as the server has failed
}

// run dials until a server answers. Its error is of no interest if the context has
// ended.
func (s *starting) run(ctx context.Context) (*Conn, error) {
	s.since = time.Now()
	for ctx.Err() == nil {
		locked := s.lock != nil
		conn, err := s.config.connect(ctx, s.name)
		if err == nil {
			s.found = true
			return conn, nil
		}
		if ctx.Err() != nil {
			break
		}
		s.last = err
		switch {
		case errors.Is(err, partywall.ErrNotFound):
			if err := s.advance(); err != nil {
				return nil, fmt.Errorf("%w; %w", s.last, err)
			}
			if s.lock != nil && !locked {
				continue // whoever had the lock before may have started a server since this look
			}
		case leaves(err) && s.lost < lostInHandshake:
			s.lost++
		case errors.Is(err, os.ErrDeadlineExceeded): // it listens already, but does not serve yet
		default:
			return nil, err
		}
		s.wait(ctx)
	}
	return nil, ctx.Err()
}

// advance does what can be done about there being no server.
func (s *starting) advance() (err error) {
	switch {
	case s.lock == nil:
		s.lock, err = rendezvous.TryStartLock(s.config.place, s.name)
		if errors.Is(err, rendezvous.ErrStarting) {
			s.others, err = true, nil
		}
	case s.server == nil:
		s.server, err = startChild(s.lock, s.config.start.command)
		s.since = time.Now()
	case s.server.failure() == nil:
	case !s.failed:
		s.failed, s.since = true, time.Now()
	case time.Since(s.since) > lastLooks:
		err = s.server.failure()
	}
	return err
}

// wait pauses before the next look, the longer the longer the wait has been. Whoever
// has started the server looks more often than the others, who may be many.
func (s *starting) wait(ctx context.Context) {
	share, longest := time.Duration(2), 50*time.Millisecond
	var ended <-chan struct{}
	if s.server != nil {
		share, longest = 8, 20*time.Millisecond
		if !s.server.hasEnded() {
			ended = s.server.ended
		}
	}
	select {
	case <-ctx.Done():
	case <-ended:
	case <-time.After(min(max(time.Since(s.since)/share, time.Millisecond), longest)):
	}
}

// release gives back what this Dial has of the start. A server that is still coming
// up keeps the lock.
func (s *starting) release() {
	if s.lock != nil {
		if s.found || s.server == nil || s.server.failure() != nil {
			s.lock.Unlock()
		} else {
			s.lock.Leave()
		}
	}
	if s.server != nil {
		s.server.release()
	}
}

// late says how far the start had come when the time was over.
func (s *starting) late(why error) error {
	switch {
	case s.server != nil:
		return fmt.Errorf("%w; start %q: %s: %w", s.last, s.server.line, s.server.state(s.lock), why)
	case !s.others || !errors.Is(s.last, partywall.ErrNotFound):
		return fmt.Errorf("%w: %w", s.last, why)
	}
	if pid := rendezvous.StartingPID(s.config.place, s.name); pid != 0 {
		return fmt.Errorf("%w; another client has started process %d for it, which has not answered in time: %w", s.last, pid, why)
	}
	return fmt.Errorf("%w; %w: %w", s.last, rendezvous.ErrStarting, why)
}
