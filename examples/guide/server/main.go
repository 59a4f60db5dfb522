// Server greets until it is interrupted.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"github.com/partywall/partywall/call"
	greet "github.com/partywall/partywall/examples/guide"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	srv, err := call.Listen("greetings")
	if err != nil {
		log.Fatal(err)
	}
	greet.Handle(srv)
	if err := srv.Serve(ctx); err != nil {
		log.Fatal(err)
	}
}
