//go:build !windows

package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
)

// serveStandIn does what the server program does.
func serveStandIn() {
	srv, err := call.Listen(compare.Service, call.Quota(compare.Quota))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	compare.Handle(srv)
	fmt.Println("serving")
	_ = srv.Serve(context.Background())
}

// serveHere starts a server. It returns the programs, the arguments with which the client finds the
// server, and a client of the test's own.
func serveHere(t *testing.T) (programs, []string, func(*testing.T, *compare.Source) (compare.Verdict, error)) {
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	p := install(t, "compare-client", "compare-server")
	p.start(t, "compare-server").Expect("serving")
	conn, err := call.Dial(t.Context(), compare.Service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return p, nil, func(t *testing.T, source *compare.Source) (compare.Verdict, error) {
		return compare.Ask(t.Context(), conn, source, compare.Options{})
	}
}
