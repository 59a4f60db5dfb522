// Package greet is the service that docs/GUIDE.md builds, step by step. All code in
// the guide is from here.
package greet

import (
	"context"
	"fmt"

	"github.com/partywall/partywall/call"
)

// Greeting is what a client asks with.
type Greeting struct {
	Name     string `json:"name"`
	Language string `json:"language,omitempty"`
}

// Reply is what it gets.
type Reply struct {
	Text string `json:"text"`
}

// Hello is the method. Client and server share it.
var Hello = call.NewMethod[Greeting, Reply]("hello")

// Handle adds the service's methods to a server.
func Handle(srv *call.Server) {
	Hello.Handle(srv, hello)
	Shout.Handle(srv, shout)
	Mean.Handle(srv, mean)
	Invert.Handle(srv, invert)
}

func hello(ctx context.Context, in *call.In[Greeting], out *call.Out[Reply]) error {
	switch in.Arg.Language {
	case "", "en":
		out.Result.Text = "Hello, " + in.Arg.Name
	case "de":
		out.Result.Text = "Guten Tag, " + in.Arg.Name
	default:
		return fmt.Errorf("no greeting in %q", in.Arg.Language)
	}
	return nil
}
