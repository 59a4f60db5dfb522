package call_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

func TestNamesAreTakenOnce(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		for range 3 {
			srv, err := call.Listen(f.name)
			if srv != nil {
				t.Error("a server beside the error")
			}
			wantErr(t, err, partywall.ErrRunning)
			wantText(t, err, f.name)
		}
		hammer(t, f.dial(), 1, 10)
		if got := f.order("close", ""); got != "ok" {
			t.Fatal(got)
		}
		srv, err := call.Listen(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if srv.Service() != f.name {
			t.Errorf("serves %q", srv.Service())
		}
		srv.Close()
	})
}

func TestNobodyServes(t *testing.T) {
	prepare(t)
	for _, name := range []string{"nobody", "no/body", "a.b-c_d/0"} {
		_, err := call.Dial(context.Background(), name)
		wantErr(t, err, partywall.ErrNotFound)
		wantText(t, err, name)
	}
	for _, name := range []string{"", "Nobody", "no body", strings.Repeat("x", 101), "\x00"} {
		_, err := call.Dial(context.Background(), name)
		wantErr(t, err, partywall.ErrName)
		_, err = call.Listen(name)
		wantErr(t, err, partywall.ErrName)
	}
	t.Setenv("PARTYWALL_DIR", t.TempDir()+"/absent")
	_, err := call.Dial(context.Background(), "nobody")
	wantErr(t, err, partywall.ErrNotFound)
}

// A server that died leaves its socket behind, and nobody is fooled by it.
func TestServerHasDied(t *testing.T) {
	f := startProcess(t, config{})
	c := f.dial()
	f.dies = true
	f.proc.Kill()
	recv(t, c.Done())
	wantErr(t, c.Err(), partywall.ErrPeerGone)
	eventually(t, "nobody serves", func() bool {
		_, err := call.Dial(context.Background(), f.name)
		return errors.Is(err, partywall.ErrNotFound)
	})
	h, err := listen(f.name, config{})
	if err != nil {
		t.Fatal(err)
	}
	hammer(t, f.dial(), 4, 20)
	c.Close()
	if err := h.end(); err != nil {
		t.Error(err)
	}
}

func TestDialWaitsForServe(t *testing.T) {
	eachWay(t, config{Later: true, Slots: 64}, func(t *testing.T, f *fixture) {
		ctx, cancel := within(20 * time.Millisecond)
		defer cancel()
		_, err := call.Dial(ctx, f.name)
		wantErr(t, err, context.DeadlineExceeded)
		wantText(t, err, f.name)

		cancelled, cancel := context.WithCancel(context.Background())
		failed := make(chan error, 1)
		go func() { _, err := call.Dial(cancelled, f.name); failed <- err }()
		cancel()
		wantErr(t, recv(t, failed), context.Canceled)

		conns := make(chan *call.Conn, 20)
		for range cap(conns) {
			go func() {
				c, err := call.Dial(context.Background(), f.name, call.Expect(addM))
				if err != nil {
					t.Error(err)
				}
				conns <- c
			}()
		}
		f.tell("serve", "")
		for range cap(conns) {
			if c := recv(t, conns); c != nil {
				hammer(t, c, 1, 2)
				c.Close()
			}
		}
	})
}

func TestDialWithAContextThatHasEnded(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		past, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Hour))
		defer cancel()
		for range 10 {
			_, err := call.Dial(cancelled, f.name)
			wantErr(t, err, context.Canceled)
			_, err = call.Dial(past, f.name, call.Expect(addM))
			wantErr(t, err, context.DeadlineExceeded)
		}
	})
}

// Cancelled at any moment, Dial returns the context's error or a conn, and leaves
// nothing behind.
func TestCancelDialAnywhere(t *testing.T) {
	f := startProcess(t, config{})
	var group sync.WaitGroup
	for i := range 200 {
		ctx, cancel := within(time.Duration(i) * 5 * time.Microsecond)
		group.Go(func() {
			defer cancel()
			c, err := call.Dial(ctx, f.name, call.Expect(addM, blobM))
			if err != nil {
				wantErr(t, err, context.DeadlineExceeded)
				return
			}
			c.Close()
		})
		if i%20 == 0 {
			group.Wait()
		}
	}
	group.Wait()
	hammer(t, f.dial(), 2, 20)
}

func TestMaxConns(t *testing.T) {
	eachWay(t, config{Conns: 3}, func(t *testing.T, f *fixture) {
		conns := []*call.Conn{f.dial(), f.dial(), f.dial()}
		for range 5 {
			_, err := call.Dial(context.Background(), f.name)
			wantErr(t, err, partywall.ErrBusy)
			wantText(t, err, f.name, "call.MaxConns", "3")
		}
		hammer(t, conns[0], 2, 10)
		conns[1].Close()
		eventually(t, "there is room for one more", func() bool {
			c, err := call.Dial(context.Background(), f.name)
			if err != nil {
				wantErr(t, err, partywall.ErrBusy)
				return false
			}
			hammer(t, c, 2, 10)
			return c.Close() == nil
		})
	})
}

func TestHandleAndServePanic(t *testing.T) {
	prepare(t)
	srv, err := call.Listen("panics")
	if err != nil {
		t.Fatal(err)
	}
	handle := func() {
		addM.Handle(srv, func(context.Context, *call.In[[2]int64], *call.Out[number]) error { return nil })
	}
	handle()
	for what, f := range map[string]func(){"add": handle, "panics": func() {
		addOther.Handle(srv, func(context.Context, *call.In[[2]int64], *call.Out[struct{ M int64 }]) error { return nil })
	}} {
		if text := panicOf(f); !strings.Contains(text, what) || !strings.Contains(text, "second Handle") {
			t.Errorf("panics with %q", text)
		}
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	c, err := call.Dial(context.Background(), "panics", call.Expect(addM))
	if err != nil {
		t.Fatal(err)
	}
	late := func() {
		blobM.Handle(srv, func(context.Context, *call.In[blobArg], *call.Out[blobResult]) error { return nil })
	}
	if text := panicOf(late); !strings.Contains(text, "after Serve") || !strings.Contains(text, "blob") {
		t.Errorf("panics with %q", text)
	}
	if text := panicOf(func() { srv.Serve(context.Background()) }); !strings.Contains(text, "second Serve") {
		t.Errorf("panics with %q", text)
	}
	c.Close()
	srv.Close()
	if err := recv(t, served); err != nil {
		t.Error(err)
	}
}

func TestListenWithoutServe(t *testing.T) {
	prepare(t)
	srv, err := call.Listen("idle")
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := call.Dial(context.Background(), "idle")
		failed <- err
	}()
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	err = recv(t, failed)
	if !errors.Is(err, partywall.ErrNotFound) {
		wantErr(t, err, partywall.ErrPeerGone)
	}
	if err := srv.Serve(context.Background()); err != nil {
		t.Errorf("Serve after Close: %v", err)
	}
}

// The run directory must be this user's alone.
func TestRunDirectory(t *testing.T) {
	prepare(t)
	dir := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARTYWALL_DIR", dir)
	_, err := call.Listen("x")
	wantErr(t, err, partywall.ErrAccess)
	wantText(t, err, dir, "set PARTYWALL_DIR", "x")
	_, err = call.Dial(context.Background(), "x")
	wantErr(t, err, partywall.ErrAccess)
	wantText(t, err, dir, "set PARTYWALL_DIR")
}
