package call

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

var awakeM = NewMethod[uint64, uint64]("awake")

// While both sides are awake nobody rings: some stretch of a thousand calls, one
// after the other, gets by without a message on the socket in either direction.
func TestNoRingsWhileAwake(t *testing.T) {
	if min(runtime.GOMAXPROCS(0), runtime.NumCPU()) == 1 {
		t.Skip("with one processor nobody spins: each side sleeps whenever it waits")
	}
	t.Setenv("PARTYWALL_DIR", t.TempDir()+"/run")
	srv, err := Listen("awake")
	if err != nil {
		t.Fatal(err)
	}
	awakeM.Handle(srv, func(_ context.Context, in *In[uint64], out *Out[uint64]) error {
		out.Result = in.Arg + 1
		return nil
	})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	defer func() {
		srv.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	c, err := Dial(t.Context(), "awake", Expect(awakeM))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	session := srv.all()[0]

	const stretch = 1000
	deadline := time.Now().Add(proctest.Watchdog)
	client, server, quiet := c.bell.Rung(), session.bell.Rung(), 0
	for n := uint64(0); quiet < stretch; n++ {
		if got, err := awakeM.Call(t.Context(), c, n); err != nil || got != n+1 {
			t.Fatalf("call %d: %d, %v", n, got, err)
		}
		if now, then := c.bell.Rung(), session.bell.Rung(); now != client || then != server {
			client, server, quiet = now, then, 0
		} else {
			quiet++
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d calls, and no %d of them in a row without a ring", n, stretch)
		}
	}
}
