//go:build !windows

package main

import (
	"context"
	"log/slog"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/trace"
)

const usage = "server"

func serve(ctx context.Context, logger *slog.Logger) error {
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
