// Client is the example's client process: it has two image files compared.
//
// Usage: client [-v] LEFT RIGHT [DIFFERENCE.png]
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/trace"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("client: ")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: client [-v] LEFT RIGHT [DIFFERENCE.png]") }
	verbose := flag.Bool("v", false, "log the call")
	flag.Parse()
	if n := flag.NArg(); n < 2 || n > 3 {
		flag.Usage()
		os.Exit(2)
	}
	logger := slog.New(slog.DiscardHandler)
	if *verbose {
		logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if err := run(logger, flag.Arg(0), flag.Arg(1), flag.Arg(2)); err != nil {
		log.Fatal(err)
	}
}

func run(logger *slog.Logger, left, right, difference string) error {
	source, err := compare.Open(left, right)
	if err != nil {
		return err
	}
	defer source.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := call.Dial(ctx, compare.Service, call.Expect(compare.ComparePixels), call.Intercept(trace.Client(logger)))
	if err != nil {
		return err
	}
	defer conn.Close()
	var options compare.Options
	if difference != "" {
		options.Difference = func(m *image.NRGBA) error { return compare.WritePNG(ctx, difference, m) }
	}
	v, err := compare.Ask(ctx, conn, source, options)
	if err != nil {
		return err
	}
	fmt.Printf("MSE %.4f, PSNR %.2f dB, SSIM %.4f, %d pixels differ\n", v.MSE, v.PSNR, v.SSIM, v.Differing)
	return nil
}
