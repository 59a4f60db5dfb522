// Old is the first version of a small service, and of its client.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/partywall/partywall/call"
)

// Query is what the first version asks with.
type Query struct {
	Text string `json:"text"`
}

// Answer is what it answers with.
type Answer struct {
	Length int    `json:"length"`
	Echo   string `json:"echo"`
}

// Point has a fixed layout.
type Point struct{ X, Y int32 }

var (
	ask    = call.NewMethod[Query, Answer]("ask")
	mirror = call.NewMethod[Point, Point]("mirror")
)

func main() {
	log.SetFlags(0)
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve()
	case "call":
		err = use()
	}
	if err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	srv, err := call.Listen("versions")
	if err != nil {
		return err
	}
	ask.Handle(srv, func(_ context.Context, in *call.In[Query], out *call.Out[Answer]) error {
		out.Result = Answer{Length: len(in.Arg.Text), Echo: in.Arg.Text}
		return nil
	})
	mirror.Handle(srv, func(_ context.Context, in *call.In[Point], out *call.Out[Point]) error {
		out.Result = Point{-in.Arg.X, -in.Arg.Y}
		return nil
	})
	fmt.Println("serving")
	return srv.Serve(context.Background())
}

func use() error {
	ctx := context.Background()
	conn, err := call.Dial(ctx, "versions", call.Expect(ask, mirror))
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := ask.Call(ctx, conn, Query{Text: "three"})
	fmt.Printf("ask: %+v, %v\n", answer, err)
	point, err := mirror.Call(ctx, conn, Point{1, 2})
	fmt.Printf("mirror: %+v, %v\n", point, err)
	return nil
}
