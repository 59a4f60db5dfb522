package instance

import (
	"context"
	"fmt"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/rendezvous"
)

// A RunningError says that another process runs under the name, and what has become of the
// launch. [errors.As] finds it in what [Acquire] returns.
type RunningError struct {
	Name string

	// First is the process that runs. Its PID is 0 if that could not be found out.
	First call.Peer

	// Reason is why it could not be reached, or nil if it has taken the launch.
	Reason error
}

// Error says who runs, and whether it has the launch.
func (e *RunningError) Error() string {
	who := fmt.Sprintf("%q", e.Name)
	if e.First.PID != 0 {
		who = fmt.Sprintf("%q, process %d", e.Name, e.First.PID)
	}
	if e.Reason == nil {
		return fmt.Sprintf("%v: %s, has taken this launch", partywall.ErrRunning, who)
	}
	return fmt.Sprintf("%v: %s: %v", partywall.ErrUnreachable, who, e.Reason)
}

// Unwrap returns [partywall.ErrRunning] if the launch was taken, and otherwise
// [partywall.ErrUnreachable] and the reason.
func (e *RunningError) Unwrap() []error {
	if e.Reason == nil {
		return []error{partywall.ErrRunning}
	}
	return []error{partywall.ErrUnreachable, e.Reason}
}

// lookTime bounds the look for who it is that does not answer.
const lookTime = 200 * time.Millisecond

// whoRuns asks the kernel who has the name. A process that is stopped need do nothing for that.
func (c *config) whoRuns(name string) call.Peer {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	link, err := rendezvous.Dial(ctx, rendezvous.Place{Dir: c.dir}, prefix+name)
	if err != nil {
		return call.Peer{}
	}
	defer link.Close()
	id := link.Peer()
	return call.Peer{PID: id.PID, UID: id.UID, User: id.UserID()}
}
