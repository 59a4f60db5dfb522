package greet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// Explain tells the ways in which a call ends apart.
func Explain(err error) string {
	var remote *call.RemoteError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &remote):
		return "the handler said no: " + remote.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "too late; the handler has been told"
	case errors.Is(err, partywall.ErrPeerGone):
		return "the server died; nobody knows whether it was done"
	case errors.Is(err, partywall.ErrShutdown):
		return "the server is leaving; it was not done"
	case errors.Is(err, partywall.ErrNotFound):
		return "nobody serves, or the service has no such method"
	}
	return err.Error()
}

// HelloSoon gives the service a tenth of a second.
func HelloSoon(ctx context.Context, conn *call.Conn, name string) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	return Hello.Call(ctx, conn, Greeting{Name: name})
}

// Shout has bodies: text of any length goes in, and comes back.
var Shout = call.NewMethod[struct{}, struct{}]("shout")

func shout(ctx context.Context, in *call.In[struct{}], out *call.Out[struct{}]) error {
	body, err := out.Body(len(in.Body()))
	if err != nil {
		return err
	}
	copy(body, bytes.ToUpper(in.Body()))
	return nil
}

// ShoutText calls it.
func ShoutText(ctx context.Context, conn *call.Conn, text []byte) ([]byte, error) {
	_, loud, err := Shout.CallBody(ctx, conn, struct{}{}, text, nil)
	return loud, err
}

type (
	// Series has a fixed layout: its bytes are copied as they are.
	Series struct {
		Count  uint32
		Values [16]float64
	}
	// Average has one too.
	Average struct{ Mean float64 }
)

// Mean takes no more than a few hundred nanoseconds.
var Mean = call.NewMethod[Series, Average]("mean")

func mean(ctx context.Context, in *call.In[Series], out *call.Out[Average]) error {
	n := in.Arg.Count
	if n == 0 || n > uint32(len(in.Arg.Values)) {
		return fmt.Errorf("%d values; 1 to %d are possible", n, len(in.Arg.Values))
	}
	for _, v := range in.Arg.Values[:n] {
		out.Result.Mean += v / float64(n)
	}
	return nil
}

// Invert works on the caller's memory, where it lies.
var Invert = call.NewInPlace[struct{}, struct{}]("invert")

func invert(ctx context.Context, l *call.Loan[struct{}, struct{}]) error {
	for i := range l.Body {
		l.Body[i] = ^l.Body[i]
	}
	return nil
}

// InvertAll fills the memory, has it inverted, and uses it, without a copy.
func InvertAll(ctx context.Context, conn *call.Conn, size int, fill, use func([]byte)) error {
	return Invert.Lease(ctx, conn, size, func(l *call.Lease[struct{}, struct{}]) error {
		fill(l.Body)
		if err := l.Do(ctx); err != nil {
			return err
		}
		use(l.Body)
		return nil
	})
}

// HelloAll greets many at once and prints each reply when it comes.
func HelloAll(ctx context.Context, conn *call.Conn, names ...string) error {
	var calls []*call.Pending[Reply]
	for _, name := range names {
		calls = append(calls, Hello.Go(ctx, conn, Greeting{Name: name}))
	}
	for i, p := range call.Completed(calls...) {
		reply, err := p.Wait()
		if err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
		fmt.Println(reply.Text)
	}
	return nil
}

// DialOrStart starts the server if nobody serves.
func DialOrStart(ctx context.Context, program string) (*call.Conn, error) {
	return call.Dial(ctx, "greetings", call.Start(program))
}

// Log is an interceptor: it writes a line for each call.
func Log(ctx context.Context, info *call.Info, next func(context.Context) error) error {
	start := time.Now()
	err := next(ctx)
	slog.InfoContext(ctx, "call", "method", info.Method, "from", info.Peer.PID,
		"request", info.Metadata["request"], "took", time.Since(start), "error", err)
	return err
}

// Request is an interceptor for the client: it gives each call a number that the
// server's log shows too.
func Request(id func() string) call.Interceptor {
	return func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
		info.Metadata["request"] = id()
		return next(ctx)
	}
}
