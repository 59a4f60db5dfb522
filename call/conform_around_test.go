package call_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
)

// Interceptors, calls that are begun, and what a service says of itself. The service is
// in this process where the test has to look into it.

type (
	traceKey struct{}
	echoText struct{ Text string }
)

var (
	traceM = call.NewMethod[echoText, echoText]("trace")
	tightM = call.NewMethod[[448]byte, int64]("tight")
	flipM  = call.NewInPlace[[448]byte, [1]int64]("flip")
	flakyM = call.NewMethod[int64, echoText]("flaky")
)

// traced serves methods that return what the interceptor has found in the metadata.
func traced(srv *call.Server) {
	traceM.Handle(srv, func(ctx context.Context, in *call.In[echoText], out *call.Out[echoText]) error {
		out.Result.Text = fmt.Sprint(in.Arg.Text, " ", ctx.Value(traceKey{}))
		return nil
	})
	tightM.Handle(srv, func(ctx context.Context, in *call.In[[448]byte], out *call.Out[int64]) error {
		out.Result = int64(len(fmt.Sprint(ctx.Value(traceKey{}))) + len(in.Body()))
		return nil
	})
	flipM.Handle(srv, func(ctx context.Context, l *call.Loan[[448]byte, [1]int64]) error {
		l.Result[0] = int64(len(fmt.Sprint(ctx.Value(traceKey{}))) + len(l.Body))
		return nil
	})
}

// carry is a server's interceptor: it hands metadata to the handler.
func carry(ctx context.Context, info *call.Info, next func(context.Context) error) error {
	if info.Metadata["stop"] != "" {
		return errors.New("stopped at the door")
	}
	return next(context.WithValue(ctx, traceKey{}, info.Metadata["trace"]))
}

// with is a client's interceptor: it sets metadata.
func with(key, value string) call.Interceptor {
	return func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
		info.Metadata[key] = value
		return next(ctx)
	}
}

func TestMetadata(t *testing.T) {
	s := calltest.Start(t, traced, call.Intercept(carry))
	ctx := context.Background()
	for _, n := range []int{0, 1, 100, 4000} {
		c := s.Dial(call.Intercept(with("trace", strings.Repeat("x", n))))
		for _, text := range []string{"", "short", strings.Repeat("long", 200)} {
			got, err := traceM.Call(ctx, c, echoText{text})
			if want := text + " " + strings.Repeat("x", n); err != nil || got.Text != want {
				t.Fatalf("metadata of %d bytes: %.20q..., %v", n, got.Text, err)
			}
		}
		for _, body := range []int{0, 1, 64, 70_000} {
			got, _, err := tightM.CallBody(ctx, c, [448]byte{}, make([]byte, body), nil)
			if err != nil || got != int64(n+body) {
				t.Fatalf("metadata of %d bytes, body of %d: %d, %v", n, body, got, err)
			}
			err = flipM.Lease(ctx, c, body, func(l *call.Lease[[448]byte, [1]int64]) error {
				for range 2 {
					if err := l.Do(ctx); err != nil || l.Result[0] != int64(n+body) {
						t.Errorf("metadata of %d bytes, body in place of %d: %d, %v", n, body, l.Result[0], err)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, c := range map[string]*call.Conn{
		"bytes": s.Dial(call.Intercept(with("trace", strings.Repeat("x", 4100)))),
		"keys": s.Dial(call.Intercept(func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
			for i := range 65 {
				info.Metadata[fmt.Sprint(i)] = ""
			}
			return next(ctx)
		})),
	} {
		_, err := traceM.Call(ctx, c, echoText{})
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, what, "metadata")
	}
	// A server without interceptors does not mind.
	plain := calltest.Dial(t, traced, call.Dir("")) // calltest's own directory wins
	if got, err := traceM.Call(ctx, plain, echoText{"a"}); err != nil || got.Text != "a <nil>" {
		t.Error(got, err)
	}
}

func TestInterceptors(t *testing.T) {
	var mu sync.Mutex
	var order []string
	note := func(name string) call.Interceptor {
		return func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
			mu.Lock()
			order = append(order, name+" "+info.Service+"."+info.Method)
			mu.Unlock()
			err := next(ctx)
			mu.Lock()
			order = append(order, name+" "+fmt.Sprint(err))
			mu.Unlock()
			return err
		}
	}
	s := calltest.Start(t, traced, call.Intercept(note("door"), note("hall")), call.Intercept(carry))
	c := s.Dial(call.Intercept(note("gate")), call.Intercept(note("path")))
	if _, err := traceM.Call(t.Context(), c, echoText{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"gate calltest.trace", "path calltest.trace", "door calltest.trace", "hall calltest.trace",
		"hall <nil>", "door <nil>", "path <nil>", "gate <nil>",
	}
	seen := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(order)
	}
	if got := seen(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := c.Describe(t.Context()); err != nil || len(seen()) != len(want) {
		t.Errorf("Describe is intercepted, or fails: %v", err)
	}

	// What they make of errors.
	remote := (*call.RemoteError)(nil)
	_, err := traceM.Call(t.Context(), s.Dial(call.Intercept(with("stop", "now"))), echoText{})
	if !errors.As(err, &remote) || remote.Message != "stopped at the door" {
		t.Error(err)
	}
	own := errors.New("not today")
	never := func(context.Context, *call.Info, func(context.Context) error) error { return own }
	if _, err := traceM.Call(t.Context(), s.Dial(call.Intercept(never)), echoText{}); err != own {
		t.Error(err)
	}
	twice := func(ctx context.Context, _ *call.Info, next func(context.Context) error) error {
		return errors.Join(next(ctx), next(ctx))
	}
	if got, err := traceM.Call(t.Context(), s.Dial(call.Intercept(twice)), echoText{"b"}); err != nil || got.Text != "b " {
		t.Error(got, err)
	}
	bound := func(ctx context.Context, _ *call.Info, next func(context.Context) error) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return next(ctx)
	}
	_, err = traceM.Call(t.Context(), s.Dial(call.Intercept(bound)), echoText{})
	wantErr(t, err, context.Canceled)
}

// The largest lease is as large with interceptors as without, and leaves no room for
// metadata that does not fit into the slot.
func TestLargestLease(t *testing.T) {
	s := calltest.Start(t, traced, call.Intercept(carry), call.Quota(1<<20))
	ctx := t.Context()
	for _, n := range []int{0, 100} {
		c := s.Dial(call.Intercept(func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
			if n > 0 {
				info.Metadata["trace"] = strings.Repeat("x", n)
			}
			return next(ctx)
		}))
		err := flipM.Lease(ctx, c, 1<<20, func(l *call.Lease[[448]byte, [1]int64]) error {
			err := l.Do(ctx)
			if n == 0 {
				return err
			}
			wantErr(t, err, partywall.ErrTooLarge)
			wantText(t, err, "metadata", "1048576", "call.Quota", "flip")
			l.Body = l.Body[:1<<20-4096]
			return l.Do(ctx)
		})
		if err != nil {
			t.Errorf("metadata of %d bytes: %v", n, err)
		}
	}
}

// An interceptor that returns nil without a result is an error, and nobody's breach of
// the protocol.
func TestNoResult(t *testing.T) {
	skip := func(context.Context, *call.Info, func(context.Context) error) error { return nil }
	swallow := func(ctx context.Context, _ *call.Info, next func(context.Context) error) error {
		next(ctx)
		return nil
	}
	const text = "an interceptor returned nil, and there is no result"
	stop := call.Intercept(with("stop", "now"))
	for what, c := range map[string]*call.Conn{
		"skipped by the server":    calltest.Start(t, traced, call.Intercept(skip)).Dial(),
		"swallowed by the server":  calltest.Start(t, traced, call.Intercept(swallow, carry)).Dial(stop),
		"skipped by the client":    calltest.Start(t, traced).Dial(call.Intercept(skip)),
		"swallowed by the client":  calltest.Start(t, traced, call.Intercept(carry)).Dial(call.Intercept(swallow), stop),
		"the last of two is empty": calltest.Start(t, traced, call.Intercept(carry)).Dial(call.Intercept(swallow, twoThenStop)),
	} {
		t.Run(what, func(t *testing.T) {
			ctx := t.Context()
			_, err := traceM.Call(ctx, c, echoText{})
			wantText(t, err, text, "trace")
			_, _, err = tightM.CallBody(ctx, c, [448]byte{}, []byte("body"), nil)
			wantText(t, err, text, "tight")
			err = flipM.Lease(ctx, c, 10, func(l *call.Lease[[448]byte, [1]int64]) error { return l.Do(ctx) })
			wantText(t, err, text, "flip")
			for _, name := range []string{"trace", "tight", "flip"} {
				m, err := c.Method(ctx, name)
				if err != nil {
					t.Fatal(err)
				}
				_, _, err = m.CallJSON(ctx, nil, nil, nil)
				wantText(t, err, text, name)
				if errors.Is(err, partywall.ErrProtocol) {
					t.Error(err)
				}
			}
			if err := c.Err(); err != nil {
				t.Error("the conn has ended:", err)
			}
		})
	}
}

// twoThenStop is a client's interceptor whose second attempt fails.
func twoThenStop(ctx context.Context, info *call.Info, next func(context.Context) error) error {
	if err := next(ctx); err != nil {
		return err
	}
	info.Metadata["stop"] = "now"
	return next(ctx)
}

// What an attempt that failed has left is not sent with the next one's result.
func TestRetriedHandler(t *testing.T) {
	var runs atomic.Int32
	again := func(ctx context.Context, _ *call.Info, next func(context.Context) error) error {
		if err := next(ctx); err == nil {
			return errors.New("the first attempt has not failed")
		}
		return next(ctx)
	}
	s := calltest.Start(t, func(srv *call.Server) {
		flakyM.Handle(srv, func(_ context.Context, in *call.In[int64], out *call.Out[echoText]) error {
			if runs.Add(1)%2 == 0 {
				return nil
			}
			body, err := out.Body(int(in.Arg))
			if err != nil {
				return err
			}
			fill(body, 1)
			return errors.New("not yet")
		})
	}, call.Intercept(again))
	c := s.Dial()
	for _, n := range []int64{1, 1000, 1 << 20} { // in the room that was lent, and beyond
		got, body, err := flakyM.CallBody(t.Context(), c, n, nil, nil)
		if err != nil || got.Text != "" || len(body) != 0 {
			t.Errorf("%d bytes of the first attempt: %q, %d bytes, %v", n, got.Text, len(body), err)
		}
		if n := call.Kept(s.Server()); n != 0 {
			t.Errorf("%d bytes are kept", n)
		}
	}
}

// An interceptor that does not wait for next has the call wait: the handler, and the
// caller, work on memory that is given back with the call's end.
func TestInterceptorLeavesEarly(t *testing.T) {
	begun := make(chan struct{}, 1)
	var ended atomic.Bool
	var runs atomic.Int32
	work := func() {
		runs.Add(1)
		ended.Store(false)
		begun <- struct{}{}
		time.Sleep(20 * time.Millisecond) // enough for an answer that does not wait
		ended.Store(true)
	}
	handle := func(srv *call.Server) {
		tightM.Handle(srv, func(_ context.Context, in *call.In[[448]byte], out *call.Out[int64]) error {
			work()
			out.Result = int64(len(in.Body()))
			return nil
		})
		flipM.Handle(srv, func(_ context.Context, l *call.Loan[[448]byte, [1]int64]) error {
			work()
			fill(l.Body, 3)
			return nil
		})
	}
	kept := make(chan func(context.Context) error, 2)
	early := func(ctx context.Context, _ *call.Info, next func(context.Context) error) error {
		kept <- next
		go next(ctx)
		<-begun
		return errors.New("left early")
	}
	for side, c := range map[string]*call.Conn{
		"server": calltest.Start(t, handle, call.Intercept(early)).Dial(),
		"client": calltest.Start(t, handle).Dial(call.Intercept(early)),
	} {
		t.Run(side, func(t *testing.T) {
			ctx, body := context.Background(), make([]byte, 100_000)
			_, _, err := tightM.CallBody(ctx, c, [448]byte{}, body, nil)
			wantText(t, err, "left early")
			if !ended.Load() {
				t.Error("a call is over, and its handler runs")
			}
			err = flipM.Lease(ctx, c, len(body), func(l *call.Lease[[448]byte, [1]int64]) error {
				defer func() {
					if !ended.Load() {
						t.Error("a lease's call is over, and its handler runs")
					}
				}()
				return l.Do(ctx)
			})
			wantText(t, err, "left early")
			before := runs.Load()
			for range 2 {
				wantText(t, (<-kept)(ctx), "has returned")
			}
			if runs.Load() != before {
				t.Error("a handler runs after its call")
			}
		})
	}
}

func TestGo(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, ctx := f.dial(), context.Background()
		var calls []*call.Pending[note]
		for key := range uint32(5) {
			calls = append(calls, holdM.Go(ctx, c, holdArg{Key: key + 1}))
		}
		select {
		case <-calls[0].Done():
			t.Fatal("done before its gate is open")
		default:
		}
		// They complete in the order in which the gates open, and not in theirs.
		var got []int
		order := []int{3, 0, 4, 2, 1}
		f.seen(c, uint32(order[0]+1), 1, 0)
		f.open(c, uint32(order[0]+1))
		for i, p := range call.Completed(calls...) {
			if n, err := p.Wait(); err != nil || n.Left != 1 {
				t.Errorf("%+v, %v", n, err)
			}
			if got = append(got, i); len(got) < len(order) {
				f.open(c, uint32(order[len(got)]+1))
			}
		}
		if !slices.Equal(got, order) {
			t.Errorf("completed in order %v, want %v", got, order)
		}
		for range call.Completed(calls...) {
			break // a loop may be left
		}
		for range call.Completed[note]() {
			t.Error("nothing has completed")
		}

		p := blobM.GoBody(ctx, c, blobArg{Out: 10}, pattern(100, 1), nil)
		if r, err := p.Wait(); err != nil || r.Len != 100 || sumOf(p.Body()) != sumOf(pattern(10, 1)) {
			t.Errorf("%+v, %v", r, err)
		}
		short, cancel := context.WithCancel(ctx)
		held := holdM.Go(short, c, holdArg{Key: 9})
		f.seen(c, 9, 1, 0)
		cancel()
		_, err := held.Wait()
		wantErr(t, err, context.Canceled)
		_, err = failM.Go(ctx, c, number{0}).Wait()
		if remote := (*call.RemoteError)(nil); !errors.As(err, &remote) {
			t.Error(err)
		}
	})
}

func TestDescribe(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		before := time.Now()
		c, second := f.dial(), f.dial()
		for i := range 100 {
			if _, err := addM.Call(t.Context(), c, [2]int64{int64(i), 1}); err != nil {
				t.Fatal(err)
			}
		}
		addM.Call(t.Context(), second, [2]int64{})
		failM.Call(t.Context(), c, number{0})
		second.Close()
		held := holdM.Go(t.Context(), c, holdArg{Key: 1})
		f.seen(c, 1, 1, 0)
		var d call.Description
		eventually(t, "the second conn is gone", func() bool {
			var err error
			if d, err = c.Describe(t.Context()); err != nil {
				t.Fatal(err)
			}
			return d.Conns == 1
		})
		if d.Service != f.name || d.PID != c.Peer().PID || d.Version != call.ProtocolVersion || d.Program == "" {
			t.Errorf("%+v", d)
		}
		if age := before.Sub(d.Started); age < -time.Minute || age > time.Hour {
			t.Errorf("started %v, now it is %v", d.Started, before)
		}
		if d.InFlight != 1 {
			t.Errorf("%d in flight, want 1", d.InFlight)
		}
		methods := map[string]call.MethodDescription{}
		for _, m := range d.Methods {
			methods[m.Name] = m
		}
		add := methods["add"]
		if add.Calls != 101 || add.Errors != 0 || add.Arg.Form != "fixed" || add.Times.Count() == 0 || add.Times.Quantile(1) == 0 {
			t.Errorf("%+v", add)
		}
		if fail := methods["fail"]; fail.Calls != 1 || fail.Errors != 1 {
			t.Errorf("%+v", fail)
		}
		if !methods["place"].InPlace || methods["doc"].Arg.Form != "document" || methods["bytes"].Result.Form != "bytes" {
			t.Errorf("%+v, %+v, %+v", methods["place"], methods["doc"], methods["bytes"])
		}
		if _, ok := methods["partywall/describe"]; ok {
			t.Error("the method that describes is in the description")
		}
		var sum uint64
		for _, m := range d.Methods {
			sum += m.Calls
		}
		if d.Calls != sum || d.Errors != 1 {
			t.Errorf("%d calls and %d errors, the methods have %d", d.Calls, d.Errors, sum)
		}
		f.open(c, 1)
		held.Wait()
	})
}
