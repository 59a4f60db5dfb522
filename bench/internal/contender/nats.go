package contender

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// natsBroker is NATS request-reply. The broker is embedded in the server process, and the responder
// is joined to it within that process, which spares it a hop that a broker of its own would add; the client
// comes by TCP over loopback, as NATS has no Unix sockets. All goroutines share one connection. The server
// process is the program natsd.
type natsBroker struct{}

// NATSSubject is what the responder listens to.
const NATSSubject = "echo"

const natsPatience = 30 * time.Second

func (natsBroker) program() string { return "github.com/partywall/partywall/bench/natsd" }

func (natsBroker) Serve(context.Context, string, func(string)) error { return errors.ErrUnsupported }

func (natsBroker) Dial(_ context.Context, address string) (Conn, error) {
	c, err := nats.Connect(address, nats.Timeout(natsPatience))
	if err != nil {
		return nil, err
	}
	return natsConn{c}, nil
}

type natsConn struct{ *nats.Conn }

func (c natsConn) Caller(int) (Caller, error) {
	return CallerFunc(func(ctx context.Context, arg, result []byte) error {
		if _, ok := ctx.Deadline(); !ok { // which a request must have
			m, err := c.Request(NATSSubject, arg, natsPatience)
			return c.answered(result, m, err)
		}
		m, err := c.RequestWithContext(ctx, NATSSubject, arg)
		return c.answered(result, m, err)
	}), nil
}

func (c natsConn) answered(result []byte, m *nats.Msg, err error) error {
	if err != nil {
		return fmt.Errorf("NATS: %w", err)
	}
	return delivered(result, m.Data, nil)
}

func (c natsConn) Close() error {
	c.Conn.Close()
	return nil
}
