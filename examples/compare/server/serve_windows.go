package main

import (
	"context"
	"flag"
	"log/slog"
	"os"

	"github.com/partywall/partywall/examples/compare"
)

const usage = "server [-title TITLE]"

var title = flag.String("title", compare.WindowTitle, "the window's title")

func serve(ctx context.Context, logger *slog.Logger) error {
	return compare.ServeWindow(ctx, *title, os.Stdout, logger)
}
