package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/partywall/partywall/examples/compare"
)

const usage = "client [-title TITLE] [-server PROGRAM] [-timeout DURATION] [-v] [LEFT RIGHT [DIFFERENCE.png]]"

var (
	title   = flag.String("title", compare.WindowTitle, "the title of the server's window")
	server  = flag.String("server", "", "the program to start if there is no such window")
	timeout = flag.Duration("timeout", 10*time.Second, "the time that all of it may take")
)

// usable reports whether the client can be called with n files.
func usable(n int) bool { return (n == 0 || n == 2 || n == 3) && *timeout > 0 }

func run(logger *slog.Logger, files []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	err := ask(ctx, logger, files)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("no result within %v: %w", *timeout, err)
	}
	return err
}

func ask(ctx context.Context, logger *slog.Logger, files []string) error {
	var source *compare.Source
	if len(files) > 0 {
		var err error
		if source, err = compare.Open(files[0], files[1]); err != nil {
			return err
		}
		defer source.Close()
	}
	window, err := openServer(ctx, *title, *server)
	if err != nil {
		return err
	}
	defer window.Close()
	logger.Info("found", "window", window)
	if source == nil {
		info, err := compare.AskInfo(ctx, window, compare.MyInfo{Red: 3333, Blue: 20.01})
		if err != nil {
			return err
		}
		fmt.Printf("red=%.2f,blue=%.2f\n", info.Red, info.Blue)
		return nil
	}
	o := options(ctx, files)
	o.Step = func(name string) { logger.Info(name) }
	v, err := compare.AskWindow(ctx, window, source, o)
	if err != nil {
		return err
	}
	fmt.Println(v)
	return nil
}
