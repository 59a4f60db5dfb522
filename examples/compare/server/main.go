// Server is the example's server process: it compares images until it is
// interrupted, and logs each call.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/trace"
)

func main() {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := serve(logger); err != nil {
		logger.Error("the server has failed", "error", err)
		os.Exit(1)
	}
}

func serve(logger *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	srv, err := call.Listen(compare.Service,
		call.Quota(compare.Quota),
		call.Intercept(trace.Server(logger)),
		call.OnError(func(err error) { logger.Warn("a client has failed", "error", err) }),
	)
	if err != nil {
		return err
	}
	compare.Handle(srv)
	logger.Info("serving", "service", compare.Service)
	return srv.Serve(ctx)
}
