package call_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/partywall/partywall/call"
)

var Add = call.NewMethod[[2]int64, int64]("add")

// A client that needs no service manager: the first one starts the server, and
// whoever comes later finds it.
func ExampleStart() {
	ctx := context.Background()
	conn, err := call.Dial(ctx, "calculator", call.Start("calculatord", "-quiet"))
	if err != nil {
		log.Fatal(err) // and what calculatord has said, should it have failed
	}
	defer conn.Close()

	sum, err := Add.Call(ctx, conn, [2]int64{40, 2})
	fmt.Println(sum, err)
}

// A program that is its own server, with an environment of its own, and logs that
// go to the system's.
func ExampleStartCommand() {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	conn, err := call.Dial(context.Background(), "calculator", call.StartCommand(func() *exec.Cmd {
		cmd := exec.Command("systemd-cat", self, "serve")
		cmd.Env = append(os.Environ(), "GOMEMLIMIT=1GiB")
		cmd.Dir = "/"
		return cmd
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
}
