// Package calltest gives a test a service and a conn to it in one process, so that
// handlers and clients can be tested without a second program:
//
//	func TestAdd(t *testing.T) {
//		conn := calltest.Dial(t, func(srv *call.Server) { Add.Handle(srv, add) })
//		sum, err := Add.Call(t.Context(), conn, Pair{40, 2})
//		…
//	}
//
// Everything is as between two processes: shared memory, deadlines, errors. Only a
// process's death cannot be tested so.
package calltest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
)

// Name is the name under which the service is served. Tests do not meet each other: each
// service has a run directory of its own.
const Name = "calltest"

// Patience is how long the end of a test waits for handlers that still run, before it
// cancels their contexts and the test fails.
const Patience = 10 * time.Second

// A Service is a service that runs until its test ends.
type Service struct {
	t   testing.TB
	dir string
	srv *call.Server
}

// Start starts a service to which handle adds its methods. When the test and its
// subtests end, the service is shut down; handlers that still run then are an error of
// the test. Conns that [Service.Dial] has made are closed before.
//
// The test fails at once if the system cannot serve. Start, unlike the rest of this
// package, belongs to the test's own goroutine.
func Start(t testing.TB, handle func(*call.Server), options ...call.ListenOption) *Service {
	t.Helper()
	s := &Service{t: t, dir: filepath.Join(t.TempDir(), "run")}
	srv, err := call.Listen(Name, append(options, call.Dir(s.dir))...)
	if err != nil {
		t.Fatalf("calltest: %v", err)
	}
	s.srv = srv
	handle(srv)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("calltest: %v", err)
			srv.Close()
		}
		if err := <-served; err != nil {
			t.Errorf("calltest: %v", err)
		}
	})
	return s
}

// Server returns the server, to shut it down or close it in the midst of a test.
func (s *Service) Server() *call.Server { return s.srv }

// Dial returns a conn to the service, which is closed when the test ends. The test
// fails if there is none; it may be called in any goroutine of the test that may call
// [testing.TB.Fatal].
func (s *Service) Dial(options ...call.DialOption) *call.Conn {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	c, err := call.Dial(ctx, Name, append(options, call.Dir(s.dir))...)
	if err != nil {
		s.t.Fatalf("calltest: %v", err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// Dial starts a service and returns a conn to it. The options are for both.
func Dial(t testing.TB, handle func(*call.Server), options ...call.Option) *call.Conn {
	t.Helper()
	var listen []call.ListenOption
	var dial []call.DialOption
	for _, o := range options {
		listen, dial = append(listen, o), append(dial, o)
	}
	return Start(t, handle, listen...).Dial(dial...)
}
