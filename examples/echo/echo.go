// Package echo is a service to try things out on: each of its methods shows another
// form in which arguments, results and bodies travel.
//
//	echo     a document: text, and what else CBOR can carry
//	sum      a fixed layout, copied as it is
//	bytes    bytes of any number
//	reverse  a request's body and a result's body
//	upper    a body that is changed where it lies
//	sleep    a handler that takes its time, until its caller's deadline
//
// The command serves it, and calls it:
//
//	partywall serve echo &
//	partywall call echo sum '{"A": 40, "B": 2}'
//
// A Go program imports the methods and calls them with its types:
//
//	conn, err := call.Dial(ctx, echo.Service, call.Expect(echo.Sum))
//	defer conn.Close()
//	total, err := echo.Sum.Call(ctx, conn, echo.Pair{A: 40, B: 2})
package echo

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/partywall/partywall/call"
)

// Service is the name under which it is served unless told otherwise.
const Service = "echo"

// Message is what [Echo] returns as it came. A string has no fixed layout: a Message
// travels as a document.
type Message struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

// Pair is the argument of [Sum].
type Pair struct{ A, B int64 }

// Total is the result of [Sum].
type Total struct{ Sum int64 }

// Changed is the result of [Upper].
type Changed struct{ Changed uint64 } // bytes

// Pause is the argument of [Sleep].
type Pause struct{ Milliseconds uint32 }

// The service's methods.
var (
	// Echo returns the message.
	Echo = call.NewMethod[Message, Message]("echo")

	// Sum adds two numbers. A sum beyond the range of an int64 is an error.
	Sum = call.NewMethod[Pair, Total]("sum")

	// Bytes returns the bytes.
	Bytes = call.NewMethod[[]byte, []byte]("bytes")

	// Reverse answers with the request's body, its last byte first.
	Reverse = call.NewMethod[struct{}, struct{}]("reverse")

	// Upper changes the letters a-z in the body to A-Z, in the memory that the client
	// has lent, and says how many it was.
	Upper = call.NewInPlace[struct{}, Changed]("upper")

	// Sleep returns after the time that it is told, or when its caller's deadline or
	// patience has ended: the error is then the context's.
	Sleep = call.NewMethod[Pause, struct{}]("sleep")
)

// Handle adds the methods to a server.
func Handle(srv *call.Server) {
	Echo.Handle(srv, func(_ context.Context, in *call.In[Message], out *call.Out[Message]) error {
		out.Result = in.Arg
		return nil
	})
	Sum.Handle(srv, func(_ context.Context, in *call.In[Pair], out *call.Out[Total]) (err error) {
		out.Result.Sum, err = add(in.Arg.A, in.Arg.B)
		return err
	})
	Bytes.Handle(srv, func(_ context.Context, in *call.In[[]byte], out *call.Out[[]byte]) error {
		out.Result = in.Arg
		return nil
	})
	Reverse.Handle(srv, reverse)
	Upper.Handle(srv, func(_ context.Context, l *call.Loan[struct{}, Changed]) error {
		l.Result.Changed = upper(l.Body)
		return nil
	})
	Sleep.Handle(srv, func(ctx context.Context, in *call.In[Pause], _ *call.Out[struct{}]) error {
		return sleep(ctx, time.Duration(in.Arg.Milliseconds)*time.Millisecond)
	})
}

func add(a, b int64) (int64, error) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, fmt.Errorf("%d and %d have a sum beyond the range of an int64", a, b)
	}
	return a + b, nil
}

func reverse(_ context.Context, in *call.In[struct{}], out *call.Out[struct{}]) error {
	from := in.Body()
	to, err := out.Body(len(from))
	if err != nil {
		return err
	}
	for i, b := range from {
		to[len(to)-1-i] = b
	}
	return nil
}

// upper reads each byte once: the client can change them meanwhile.
func upper(body []byte) (changed uint64) {
	for i, b := range body {
		if 'a' <= b && b <= 'z' {
			body[i] = b - 'a' + 'A'
			changed++
		}
	}
	return changed
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
