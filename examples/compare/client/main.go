// Client is the example's client process: it has two image files compared.
//
// Usage: client [-v] LEFT RIGHT [DIFFERENCE.png]
//
// On Windows it is
//
//	client [-title TITLE] [-server PROGRAM] [-timeout DURATION] [-v] [LEFT RIGHT [DIFFERENCE.png]]
//
// It speaks to the window of that title there, and starts the server if there is none:
// PROGRAM, or compare-server.exe or server.exe in its own folder. Without files it sends red 3333
// and blue 20.01, and prints what the server answers.
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"log"
	"log/slog"
	"os"

	"github.com/partywall/partywall/examples/compare"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("client: ")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: "+usage) }
	verbose := flag.Bool("v", false, "log the call")
	flag.Parse()
	if !usable(flag.NArg()) {
		flag.Usage()
		os.Exit(2)
	}
	logger := slog.New(slog.DiscardHandler)
	if *verbose {
		logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if err := run(logger, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// options has the image of the differences written to a file, if files names a third.
func options(ctx context.Context, files []string) (o compare.Options) {
	if len(files) > 2 {
		o.Difference = func(m *image.NRGBA) error { return compare.WritePNG(ctx, files[2], m) }
	}
	return o
}
