package doctor

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/partywall/partywall/internal/rendezvous"
)

// scratch returns a name that nobody else has.
func scratch() string { return "partywall-doctor-" + strings.ToLower(rand.Text()) }

// meet serves a name in dir, dials it, and returns the process that answers.
func meet(ctx context.Context, dir string) (pid int, err error) {
	const name = "partywall/doctor"
	listener, err := rendezvous.Listen(rendezvous.Place{Dir: dir}, name)
	if err != nil {
		return 0, err
	}
	answered := make(chan error, 1)
	defer func() {
		listener.Close()
		if failed := <-answered; err == nil {
			err = failed
		}
	}()
	go func() {
		link, err := listener.Accept()
		if err == nil {
			err = link.Send(1, nil, nil)
			link.Close()
		}
		answered <- err
	}()
	link, err := rendezvous.Dial(ctx, rendezvous.Place{Dir: dir}, name)
	if err != nil {
		return 0, err
	}
	defer link.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = link.SetReceiveDeadline(deadline)
	}
	if _, err := link.Receive(); err != nil {
		return 0, err
	}
	return link.Peer().PID, nil
}
