package call

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

var (
	dozeM = NewMethod[uint64, uint64]("doze")
	// stuckM waits for its context's end, unless it is to do so at once, and then does what its argument says.
	stuckM = NewMethod[uint64, uint64]("stuck")
)

const (
	stuckReturns = iota
	stuckGoexits
	stuckPanics
	atOnce = 4
)

// dozing has a server whose worker has laid its role down, and a client. begun says that a stuck handler runs, and over
// why its context has ended.
type dozing struct {
	t           *testing.T
	srv         *Server
	conn        *Conn
	session     atomic.Pointer[session]
	served      chan error
	begun, over chan error
	byReader    atomic.Int32 // stuck handlers that the reader ran
}

func newDozing(t *testing.T) *dozing {
	t.Setenv("PARTYWALL_DIR", t.TempDir()+"/run")
	srv, err := Listen("doze", OnError(func(error) {}))
	if err != nil {
		t.Fatal(err)
	}
	d := &dozing{t: t, srv: srv, served: make(chan error, 1), begun: make(chan error, 16), over: make(chan error, 16)}
	dozeM.Handle(srv, func(_ context.Context, in *In[uint64], out *Out[uint64]) error {
		out.Result = in.Arg + 1
		return nil
	})
	stuckM.Handle(srv, func(ctx context.Context, in *In[uint64], out *Out[uint64]) error {
		if w := d.session.Load().role.current.Load(); w.reads && w.inline.Load() != 0 {
			d.byReader.Add(1)
		}
		if in.Arg < atOnce {
			d.begun <- nil
			<-ctx.Done()
			d.over <- ctx.Err()
		}
		switch in.Arg % atOnce {
		case stuckGoexits:
			runtime.Goexit()
		case stuckPanics:
			panic("stuck")
		}
		return nil
	})
	go func() { d.served <- srv.Serve(context.Background()) }()
	if d.conn, err = Dial(t.Context(), "doze", Expect(dozeM, stuckM)); err != nil {
		t.Fatal(err)
	}
	d.session.Store(srv.all()[0])
	t.Cleanup(func() {
		d.conn.Close()
		srv.Close()
		if err := <-d.served; err != nil {
			t.Error(err)
		}
	})
	return d
}

// sleeps waits until the server has laid its role down, and says how long handlers took of late: slow ones run apart.
func (d *dozing) sleeps(recent time.Duration) {
	d.t.Helper()
	for end := time.Now().Add(proctest.Watchdog); d.session.Load().role.duty.Load() != dutyNone; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			d.t.Fatal("the server does not fall asleep")
		}
	}
	for _, h := range d.srv.handlers {
		h.recent.Store(int64(recent))
	}
}

// ran asks for so many handlers that the reader has run.
func (d *dozing) ran(least int32) {
	d.t.Helper()
	if n := d.byReader.Load(); n < least {
		d.t.Errorf("the reader was in %d handlers, and not in %d", n, least)
	}
}

func (d *dozing) stuck(ctx context.Context, then uint64) (done chan error) {
	d.t.Helper()
	done = make(chan error, 1)
	go func() {
		_, err := stuckM.Call(ctx, d.conn, then)
		done <- err
	}()
	d.wait(d.begun)
	return done
}

func (d *dozing) wait(c chan error) error {
	d.t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(proctest.Watchdog):
		d.t.Fatal("it does not come")
		return nil
	}
}

func (d *dozing) call() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	if n, err := dozeM.Call(ctx, d.conn, 7); err != nil || n != 8 {
		d.t.Fatal(n, err)
	}
}

// Calls that come one by one to a sleeping server are the reader's: most start no worker.
func TestDozeServes(t *testing.T) {
	d := newDozing(t)
	byReader := 0
	for end := time.Now().Add(proctest.Watchdog); byReader < 100; {
		d.sleeps(0)
		d.call()
		if w := d.session.Load().role.current.Load(); w.reads {
			byReader++
		}
		if time.Now().After(end) {
			t.Fatalf("only %d calls were the reader's", byReader)
		}
	}
}

// While the reader is in a handler that does not end, others are served, and the link is read: another takes over.
func TestDozeInAHandlerThatDoesNotEnd(t *testing.T) {
	for _, then := range []uint64{stuckReturns, stuckGoexits, stuckPanics} {
		t.Run(fmt.Sprint(then), func(t *testing.T) {
			d := newDozing(t)
			d.call()
			for range 20 {
				d.sleeps(0)
				ctx, cancel := context.WithCancel(context.Background())
				done := d.stuck(ctx, then)
				d.call()
				cancel()
				if err := d.wait(done); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if err := d.wait(d.over); !errors.Is(err, context.Canceled) { // CANCEL was read
					t.Fatal(err)
				}
				d.call()
			}
			d.ran(5)
		})
	}
}

// A handler in the reader that ends its goroutine, or panics, before anybody takes over, leaves the conn a reader.
func TestDozeInAHandlerThatIsQuick(t *testing.T) {
	d := newDozing(t)
	for range 50 {
		for _, then := range []uint64{stuckReturns, stuckGoexits, stuckPanics} {
			d.sleeps(0)
			ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
			_, err := stuckM.Call(ctx, d.conn, then+atOnce)
			cancel()
			if remote := (*RemoteError)(nil); errors.As(err, &remote) != (then != stuckReturns) {
				t.Fatal(then, err)
			}
			d.sleeps(0)
			d.call()
		}
	}
	d.ran(50)
}

// Handlers of medium length are the reader's too, as long as requests come one by one.
func TestDozeInAMediumHandler(t *testing.T) {
	d := newDozing(t)
	for range 20 {
		d.sleeps(5 * shortLimit)
		if _, err := stuckM.Call(t.Context(), d.conn, stuckReturns+atOnce); err != nil {
			t.Fatal(err)
		}
	}
	d.ran(15)
}

// A client that goes while the reader is in its handler is noticed.
func TestDozeClientGoes(t *testing.T) {
	d := newDozing(t)
	d.sleeps(0)
	done := d.stuck(context.Background(), stuckReturns)
	d.conn.Close()
	if err := d.wait(done); err == nil {
		t.Error("no error though the conn was closed")
	}
	d.wait(d.over)
}

// A server that closes while its reader is in a handler ends it.
func TestDozeServerCloses(t *testing.T) {
	d := newDozing(t)
	d.sleeps(0)
	done := d.stuck(context.Background(), stuckReturns)
	if err := d.srv.Close(); err != nil {
		t.Error(err)
	}
	d.wait(d.over)
	d.wait(done) // with an error, or with the answer, if that was quicker
}
