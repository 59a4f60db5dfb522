// Bench measures partywall beside other ways in which two processes on a machine can exchange bytes.
//
//	go run .            everything, some minutes
//	go run . --quick    a first look
//	go run . --goals    and how the goals are met
//
// README.md says what is measured, and how.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/measure"
	"github.com/partywall/partywall/bench/internal/process"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == process.Argument {
		if err := measure.Child(os.Args[2:], os.Stdin, os.Stdout, contender.Find); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	cmd := newCommand()
	err := cmd.ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
