// Server is the example's server process: it compares images until it is
// interrupted, and logs each call.
//
// Usage: server, and on Windows server [-title TITLE]. There it serves by window
// messages, and ends when its window is closed, too.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: "+usage) }
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, logger); err != nil {
		logger.Error("the server has failed", "error", err)
		os.Exit(1)
	}
}
