// Server is the example's server process: it compares images until it is
// interrupted.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("server: ")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	srv, err := call.Listen(compare.Service, call.Quota(compare.Quota))
	if err != nil {
		log.Fatal(err)
	}
	compare.Handle(srv)
	log.Printf("serving %q", compare.Service)
	if err := srv.Serve(ctx); err != nil {
		log.Fatal(err)
	}
}
