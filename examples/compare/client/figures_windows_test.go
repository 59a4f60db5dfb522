package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/winmsg"
)

// serveStandIn does what the server program does.
func serveStandIn() {
	flag.Parse()
	if err := compare.ServeWindow(context.Background(), *title, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// titleOf is a window's title that no other test has.
func titleOf(t *testing.T) string { return fmt.Sprintf("%s %d", t.Name(), os.Getpid()) }

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), proctest.Watchdog)
	t.Cleanup(cancel)
	return ctx
}

// openTitle waits for the window of a title.
func openTitle(t *testing.T, title string) *winmsg.Window {
	t.Helper()
	w, err := winmsg.Find(within(t), winmsg.Title(title), winmsg.Wait())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// serveHere starts a server. It returns the programs, the arguments with which the client finds the
// server, and a client of the test's own.
func serveHere(t *testing.T) (programs, []string, func(*testing.T, *compare.Source) (compare.Verdict, error)) {
	t.Helper()
	p := install(t, "compare-client", "compare-server")
	p.start(t, "compare-server", "-title", titleOf(t))
	w := openTitle(t, titleOf(t))
	return p, []string{"-title", titleOf(t)}, func(t *testing.T, source *compare.Source) (compare.Verdict, error) {
		return compare.AskWindow(within(t), w, source, compare.Options{})
	}
}
