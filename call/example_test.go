//go:build linux

package call_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/partywall/partywall/call"
)

// What client and server share: types of fixed layout, and the method. They
// usually stand in a package that both import.
type (
	Rect struct{ Width, Height uint32 }
	Area struct{ Pixels uint64 }
)

var Measure = call.NewMethod[Rect, Area]("measure")

func measure(ctx context.Context, in *call.In[Rect], out *call.Out[Area]) error {
	if in.Arg.Width == 0 || in.Arg.Height == 0 {
		return errors.New("the rectangle is empty")
	}
	out.Result.Pixels = uint64(in.Arg.Width) * uint64(in.Arg.Height)
	return nil
}

// A service and a call. Here both are in one process, to be short; the client
// does the same in another.
func Example() {
	srv, err := call.Listen("example/measure")
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	Measure.Handle(srv, measure)
	go srv.Serve(context.Background())

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := call.Dial(ctx, "example/measure")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	area, err := Measure.Call(ctx, conn, Rect{Width: 640, Height: 480})
	fmt.Println(area.Pixels, err)
	// Output: 307200 <nil>
}

var Upper = call.NewMethod[struct{}, struct{}]("upper")

// Bodies are bytes of any length beside argument and result. The handler reads
// and writes memory that both processes share.
func ExampleMethod_CallBody() {
	srv, err := call.Listen("example/upper")
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	Upper.Handle(srv, func(ctx context.Context, in *call.In[struct{}], out *call.Out[struct{}]) error {
		text, err := out.Body(len(in.Body()))
		if err != nil {
			return err
		}
		copy(text, bytes.ToUpper(in.Body()))
		return nil
	})
	go srv.Serve(context.Background())

	conn, err := call.Dial(context.Background(), "example/upper")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	_, text, err := Upper.CallBody(context.Background(), conn, struct{}{}, []byte("knock, knock"), nil)
	fmt.Printf("%s %v\n", text, err)
	// Output: KNOCK, KNOCK <nil>
}

// What a handler returns as its error, or panics with, reaches the caller as a
// RemoteError. The service lives on.
func ExampleRemoteError() {
	srv, err := call.Listen("example/errors")
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	Measure.Handle(srv, measure)
	go srv.Serve(context.Background())

	conn, err := call.Dial(context.Background(), "example/errors", call.Expect(Measure))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	_, err = Measure.Call(context.Background(), conn, Rect{})
	fmt.Println(err)
	if remote := (*call.RemoteError)(nil); errors.As(err, &remote) {
		fmt.Println(remote.Message, remote.Panic)
	}
	// Output:
	// example/errors.measure: the rectangle is empty
	// the rectangle is empty false
}
