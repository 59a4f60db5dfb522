// Natsd is the server process of the benchmark's NATS: the broker and the responder in one. It is a program of its
// own because its package nats-server/v2/server/pse, when it is linked at all, looks at the process once a second: no other
// contender could be idle in the same program.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/measure"
)

func main() {
	find := func(name string) (contender.Entry, bool) {
		return contender.Entry{Name: name, Title: "NATS", Contender: broker{}}, name == contender.NATS
	}
	if err := measure.Child(os.Args[min(2, len(os.Args)):], os.Stdin, os.Stdout, find); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type broker struct{}

const patience = 30 * time.Second

func (broker) Serve(ctx context.Context, _ string, ready func(string)) error {
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		MaxPayload: contender.MaxSize + 1<<10, MaxPending: 4 * contender.MaxSize,
	})
	if err != nil {
		return err
	}
	srv.Start()
	defer srv.WaitForShutdown()
	defer srv.Shutdown()
	if !srv.ReadyForConnections(patience) {
		return errors.New("the broker does not start")
	}
	c, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		return err
	}
	defer c.Close()
	sub, err := c.Subscribe(contender.NATSSubject, func(m *nats.Msg) {
		contender.Answer(m.Data, m.Data)
		_ = m.Respond(m.Data) // the client notices
	})
	if err != nil {
		return err
	}
	if err := errors.Join(sub.SetPendingLimits(-1, -1), c.Flush()); err != nil {
		return err
	}
	ready(srv.ClientURL())
	<-ctx.Done()
	return nil
}

func (broker) Dial(context.Context, string) (contender.Conn, error) {
	return nil, errors.ErrUnsupported
}
