// New is the second version of the service in ../old: it has a method more, and its
// documents have fields more, which may be left out.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// Query has a new field.
type Query struct {
	Upper bool   `json:"upper,omitempty"`
	Text  string `json:"text"`
}

// Answer has one too, of a type of its own.
type Answer struct {
	Echo   string `json:"echo"`
	Length int    `json:"length"`
	Words  *Words `json:"words,omitempty"`
}

// Words is new.
type Words struct {
	Count int      `json:"count"`
	All   []string `json:"all"`
}

// Point has a fixed layout, which does not change.
type Point struct{ X, Y int32 }

// Broken is a Query whose text has become a number.
type Broken struct {
	Text int `json:"text"`
}

// Strict is a Query with a new field that may not be left out.
type Strict struct {
	Text  string `json:"text"`
	Upper bool   `json:"upper"`
}

var (
	ask    = call.NewMethod[Query, Answer]("ask")
	mirror = call.NewMethod[Point, Point]("mirror")
	count  = call.NewMethod[string, int]("count")

	broken = call.NewMethod[Broken, Answer]("ask")
	strict = call.NewMethod[Strict, Answer]("ask")
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
	count.Handle(srv, func(_ context.Context, in *call.In[string], out *call.Out[int]) error {
		out.Result = len(in.Arg)
		return nil
	})
	mirror.Handle(srv, func(_ context.Context, in *call.In[Point], out *call.Out[Point]) error {
		out.Result = Point{-in.Arg.X, -in.Arg.Y}
		return nil
	})
	ask.Handle(srv, func(_ context.Context, in *call.In[Query], out *call.Out[Answer]) error {
		text := in.Arg.Text
		if in.Arg.Upper {
			text = strings.ToUpper(text)
		}
		words := strings.Fields(text)
		out.Result = Answer{Length: len(text), Echo: text, Words: &Words{len(words), words}}
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
	answer, err := ask.Call(ctx, conn, Query{Text: "three", Upper: true})
	words := answer.Words
	answer.Words = nil
	fmt.Printf("ask: %+v, %+v, %v\n", answer, words, err)
	point, err := mirror.Call(ctx, conn, Point{1, 2})
	fmt.Printf("mirror: %+v, %v\n", point, err)
	n, err := count.Call(ctx, conn, "four")
	fmt.Printf("count: %d, not found: %t\n", n, errors.Is(err, partywall.ErrNotFound))
	_, err = broken.Call(ctx, conn, Broken{})
	fmt.Printf("broken: %t, %v\n", errors.Is(err, partywall.ErrLayout), err)
	_, err = strict.Call(ctx, conn, Strict{})
	fmt.Printf("strict: %t, %v\n", errors.Is(err, partywall.ErrLayout), err)
	return nil
}
