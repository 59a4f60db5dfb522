// Instance is a viewer of files that runs once: the first process opens the files that it is
// given, and those that later ones are given. To open a file is to print its name.
//
//	go build -o viewer ./examples/instance
//	./viewer a.txt &
//	./viewer "two words.txt" b.txt     # is printed by the first
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := view(ctx, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "viewer:", err)
		os.Exit(1)
	}
}

// view opens the files until the context ends, or has the process that does so open them.
func view(ctx context.Context, out io.Writer, files []string) error {
	inst, err := instance.Acquire(ctx, "partywall/viewer", instance.Args(files...))
	switch {
	case errors.Is(err, partywall.ErrRunning):
		fmt.Fprintln(out, "handed over")
		return nil
	case err != nil:
		return err
	}
	defer inst.Close()
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	open(out, dir, files)
	for launch, err := range inst.Launches(ctx) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		open(out, launch.Dir, launch.Args)
	}
	return nil
}

// open opens files that are named as seen from a directory: that of whoever named them, which need not be
// this process's.
func open(out io.Writer, dir string, files []string) {
	for _, file := range files {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		fmt.Fprintf(out, "open %q\n", file)
	}
}
