// Client has itself greeted.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/partywall/partywall/call"
	greet "github.com/partywall/partywall/examples/guide"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := call.Dial(ctx, "greetings", call.Expect(greet.Hello))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	reply, err := greet.Hello.Call(ctx, conn, greet.Greeting{Name: os.Getenv("USER")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
}
