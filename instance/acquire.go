package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// patience bounds how long the first instance has for its answer, if the context has no
// deadline. Tests shorten it.
var patience = 10 * time.Second

const (
	// shortPause and longPause are how long it takes until the next look, when the first is just
	// coming up, or ending.
	shortPause = time.Millisecond
	longPause  = 50 * time.Millisecond
)

// Acquire makes this process the one that runs under the name, or hands its launch over to
// the process that does: its arguments, its working directory, and what the options say. Names
// have the characters of [partywall.CheckName], and at most [MaxName] bytes.
//
// There are three outcomes:
//
//   - This process is the first: Acquire returns an [Instance], and no error.
//   - Another process is, and its [Instance.Launches] loop has the launch: the error wraps
//     [partywall.ErrRunning]. This process has nothing left to do.
//   - Another process is, and it has not confirmed that it has the launch: the error wraps
//     [partywall.ErrUnreachable], and the reason. Why that can be is told below.
//
// In the second and the third the error is a [*RunningError], which says who runs.
//
// Any other error says nothing about other processes: the context's if it was cancelled, or if its deadline had
// passed at the beginning; [partywall.ErrName]; [partywall.ErrTooLarge] for a payload or arguments
// that cannot be handed over; [partywall.ErrAccess] if the run directory is not this user's
// alone; [partywall.ErrNotSupported]; what the system says.
//
// # Why a process cannot be reached
//
// The errors that are wrapped beside ErrUnreachable:
//
//   - The context's deadline has passed. Without a deadline Acquire is patient for ten seconds, and the
//     error is then [os.ErrDeadlineExceeded]. The process hangs, or is stopped, or nobody is in its Launches loop.
//   - [partywall.ErrAccess]: it runs for another user, or on Windows with an administrator's rights that this
//     process lacks, or in another session.
//   - [partywall.ErrVersion], [partywall.ErrLayout], [partywall.ErrProtocol]: it is built with a version of this library
//     that this one cannot talk to, or it is something else altogether.
//   - [*call.RemoteError]: it has refused the launch.
//
// # What a crash can do
//
// The name is a lock that the kernel takes from a process that ends, so the next one never meets
// what a dead one has left. If the first dies before it has confirmed, Acquire tries again, until this process
// is the first or the next first has the launch. So no launch is lost; but it may be done twice, if the one
// that died had been given it and had not yet said so. After its confirmation, a launch shares the fate of the first.
//
// An error that wraps ErrUnreachable does not promise that the launch will never be taken: the first
// may have taken it in the very moment in which the patience ended.
func Acquire(ctx context.Context, name string, options ...Option) (*Instance, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("instance: %w", err)
	}
	c := newConfig(options)
	launch, err := c.message()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("instance %q: %w", name, err)
	}
	bounded := ctx
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	s := sender{config: c, name: name, launch: launch}
	return s.run(ctx, bounded)
}

// A sender is one Acquire: it tries to become the first, and to hand over, until one of them
// works.
type sender struct {
	config *config
	name   string
	launch message

	first   call.Peer // who runs, as far as it is known
	greeted bool      // the last try came as far as the launch itself
	last    error     // why the last try that ended by itself came to nothing
}

// run tries. bounded is ctx with a deadline in any case.
func (s *sender) run(ctx, bounded context.Context) (*Instance, error) {
	for pause := shortPause; ; pause = min(2*pause, longPause) {
		i, err := s.config.listen(s.name)
		if err == nil {
			return i, nil
		}
		if !errors.Is(err, partywall.ErrRunning) {
			return nil, fmt.Errorf("instance %q: %w", s.name, err)
		}
		err = s.handOver(bounded)
		if errors.Is(err, context.DeadlineExceeded) {
			<-bounded.Done() // the first has seen it an instant sooner
		}
		switch {
		case err == nil:
			return nil, &RunningError{Name: s.name, First: s.first}
		case bounded.Err() != nil:
			return nil, s.late(ctx)
		case !again(err):
			return nil, s.unreachable(err)
		}
		s.last = err
		select {
		case <-bounded.Done():
			return nil, s.late(ctx)
		case <-time.After(pause):
		}
	}
}

// handOver hands the launch over to whoever runs. It returns nil when that one has it.
func (s *sender) handOver(ctx context.Context) error {
	s.greeted, s.first = false, call.Peer{}
	var options []call.DialOption
	if s.config.dir != "" {
		options = append(options, call.Dir(s.config.dir))
	}
	conn, err := call.Dial(ctx, prefix+s.name, options...)
	if err != nil {
		return err
	}
	defer conn.Close()
	s.greeted, s.first = true, conn.Peer()
	passForeground(s.first.PID)
	v, err := deliver.Call(ctx, conn, s.launch)
	switch {
	case errors.Is(err, partywall.ErrNotFound):
		return fmt.Errorf("%w: it takes no launches: %w", partywall.ErrProtocol, err)
	case err != nil:
		return err
	case v.Outcome == taken:
		return nil
	case v.Outcome == ending:
		return fmt.Errorf("%w: it is ending", partywall.ErrShutdown)
	}
	return fmt.Errorf("%w: it answers a launch with %d", partywall.ErrProtocol, v.Outcome)
}

// again reports whether the next try can come to something else: the first is coming up,
// ending, dead, or has too much to do.
func again(err error) bool {
	if errors.Is(err, partywall.ErrProtocol) {
		return false
	}
	return errors.Is(err, partywall.ErrNotFound) || errors.Is(err, partywall.ErrPeerGone) ||
		errors.Is(err, partywall.ErrShutdown) || errors.Is(err, partywall.ErrBusy) ||
		errors.Is(err, os.ErrDeadlineExceeded) // it does not shake hands, within a time that is not ours
}

// late says why nothing has come of it when the time is over.
func (s *sender) late(ctx context.Context) error {
	why := ctx.Err()
	switch {
	case errors.Is(why, context.Canceled):
		return fmt.Errorf("instance %q: %w", s.name, context.Cause(ctx))
	case why == nil:
		why = os.ErrDeadlineExceeded
	}
	switch {
	case s.greeted:
		why = fmt.Errorf("it answers, but has not taken the launch in time; its Launches loop is busy, or it has none: %w", why)
	case s.last != nil && !errors.Is(s.last, os.ErrDeadlineExceeded):
		why = fmt.Errorf("it has not answered in time: %w: %w", s.last, why)
	default:
		why = fmt.Errorf("it has not answered in time; it hangs or is stopped, so end it and try again: %w", why)
	}
	return s.unreachable(why)
}

// unreachable is the error of a launch that was not taken.
func (s *sender) unreachable(why error) error {
	if s.first.PID == 0 {
		s.first = s.config.whoRuns(s.name)
	}
	return &RunningError{Name: s.name, First: s.first, Reason: why}
}
