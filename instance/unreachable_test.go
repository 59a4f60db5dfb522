package instance_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

// unreachable checks that err is the third outcome, and names the process.
func unreachable(t testing.TB, err error, pid int, reasons ...error) {
	t.Helper()
	wantErr(t, err, append(reasons, partywall.ErrUnreachable)...)
	if errors.Is(err, partywall.ErrRunning) {
		t.Fatalf("it says that the launch was taken: %v", err)
	}
	var running *instance.RunningError
	if !errors.As(err, &running) || running.First.PID != pid || running.First.User != me(t).User {
		t.Fatalf("%v; want it to name process %d; it names %+v", err, pid, running)
	}
}

// A first instance that never looks at its launches is none that can be reached.
func TestNoLoop(t *testing.T) {
	prepare(t)
	p := proctest.Start(t, "player")
	tell(t, p, order{Do: "hold", Name: "hold"})
	hear(t, p, "first")

	ctx := within(t, 200*time.Millisecond)
	_, err := instance.Acquire(ctx, "hold", instance.Args("too late"))
	unreachable(t, err, p.PID(), context.DeadlineExceeded)
	wantText(t, err, `"hold"`, "its Launches loop")

	t.Cleanup(instance.SetPatience(200 * time.Millisecond))
	_, err = instance.Acquire(context.Background(), "hold", instance.Args("too late too"))
	unreachable(t, err, p.PID(), os.ErrDeadlineExceeded)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context has no deadline: %v", err)
	}

	// Whoever has given up is not heard of; whoever is patient is.
	done := make(chan error, 1)
	go func() {
		_, err := instance.Acquire(within(t, proctest.Watchdog), "hold", instance.Args("patient"))
		done <- err
	}()
	tell(t, p, order{Do: "loop"})
	if r := hear(t, p, "launch"); r.Sum != sum([]string{"patient"}, nil, nil) {
		t.Errorf("it has been given %+v", r)
	}
	wantErr(t, <-done, partywall.ErrRunning)
	tell(t, p, order{Do: "pause"})
	hear(t, p, "paused")
}

// A context that ends by itself is no word about the other process.
func TestCancelled(t *testing.T) {
	prepare(t)
	acquire(t, "cancel")
	why := errors.New("the user has pressed Esc")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	for range 2 { // while it waits, and before it begins
		i, err := instance.Acquire(ctx, "cancel")
		wantErr(t, err, why)
		wantText(t, err, `"cancel"`)
		if i != nil || errors.Is(err, partywall.ErrUnreachable) || errors.Is(err, partywall.ErrRunning) {
			t.Errorf("%v, %v", i, err)
		}
	}
	late := within(t, time.Nanosecond)
	<-late.Done()
	_, err := instance.Acquire(late, "cancel")
	wantErr(t, err, context.DeadlineExceeded)
	if errors.Is(err, partywall.ErrUnreachable) {
		t.Errorf("nobody has looked: %v", err)
	}
}

// Something else has the name.
func TestStrangers(t *testing.T) {
	prepare(t)
	serve := func(name string, handle func(*call.Server)) {
		srv, err := call.Listen(instance.Prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		handle(srv)
		go srv.Serve(context.Background())
		t.Cleanup(func() { srv.Close() })
	}
	type text struct{ Text string }
	var other = call.NewMethod[text, text]("launch")
	serve("bare", func(*call.Server) {})
	serve("other", func(srv *call.Server) {
		other.Handle(srv, func(context.Context, *call.In[text], *call.Out[text]) error { return nil })
	})
	serve("odd", func(srv *call.Server) {
		instance.Deliver.Handle(srv, instance.Answer(7, nil))
	})
	serve("refuses", func(srv *call.Server) {
		instance.Deliver.Handle(srv, instance.Answer(0, errors.New("not\x1b[31m today\n")))
	})
	serve("ends", func(srv *call.Server) { // and never does
		instance.Deliver.Handle(srv, instance.Answer(instance.Ending, nil))
	})
	for name, want := range map[string]struct {
		is   error
		says string
	}{
		"bare":    {partywall.ErrProtocol, "takes no launches"},
		"other":   {partywall.ErrLayout, "launch"},
		"odd":     {partywall.ErrProtocol, "answers a launch with 7"},
		"refuses": {partywall.ErrUnreachable, "today"},
		"ends":    {context.DeadlineExceeded, "process"},
	} {
		_, err := instance.Acquire(within(t, 300*time.Millisecond), name)
		unreachable(t, err, os.Getpid(), want.is)
		wantText(t, err, want.says)
	}
}

// Who cannot be reached because nobody answers at his door.
func TestNameWithoutService(t *testing.T) {
	prepare(t)
	srv, err := call.Listen(instance.Prefix + "mute") // and does not serve
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	_, err = instance.Acquire(within(t, 300*time.Millisecond), "mute")
	unreachable(t, err, os.Getpid(), context.DeadlineExceeded)
	wantText(t, err, "hangs or is stopped")
}
