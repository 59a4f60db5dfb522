//go:build !windows

package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/trace"
)

const usage = "client [-v] LEFT RIGHT [DIFFERENCE.png]"

// usable reports whether the client can be called with n files.
func usable(n int) bool { return n == 2 || n == 3 }

func run(logger *slog.Logger, files []string) error {
	source, err := compare.Open(files[0], files[1])
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
	v, err := compare.Ask(ctx, conn, source, options(ctx, files))
	if err != nil {
		return err
	}
	fmt.Println(v)
	return nil
}
