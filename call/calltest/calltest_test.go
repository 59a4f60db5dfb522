//go:build linux

package calltest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
)

type pair struct{ A, B int64 }

var (
	add  = call.NewMethod[pair, int64]("add")
	wait = call.NewMethod[struct{}, struct{}]("wait")
)

func handle(srv *call.Server) {
	add.Handle(srv, func(_ context.Context, in *call.In[pair], out *call.Out[int64]) error {
		out.Result = in.Arg.A + in.Arg.B
		return nil
	})
	wait.Handle(srv, func(ctx context.Context, _ *call.In[struct{}], _ *call.Out[struct{}]) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

func TestDial(t *testing.T) {
	for _, name := range []string{"one", "at the same time"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the names do not meet
			conn := calltest.Dial(t, handle)
			for i := range int64(100) {
				if sum, err := add.Call(t.Context(), conn, pair{i, 2}); sum != i+2 || err != nil {
					t.Fatalf("%d + 2 = %d, %v", i, sum, err)
				}
			}
		})
	}
}

// The service ends with its test, and so do its conns.
func TestEnd(t *testing.T) {
	var s *calltest.Service
	var c *call.Conn
	t.Run("inner", func(t *testing.T) {
		s = calltest.Start(t, handle)
		c = s.Dial()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := wait.Call(ctx, c, struct{}{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if _, err := add.Call(t.Context(), c, pair{}); err == nil {
		t.Error("the conn outlives its test")
	}
}

// A server may be ended in the midst of a test.
func TestServer(t *testing.T) {
	s := calltest.Start(t, handle)
	c := s.Dial()
	if err := s.Server().Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := add.Call(t.Context(), c, pair{}); !errors.Is(err, partywall.ErrShutdown) {
		t.Error(err)
	}
}
