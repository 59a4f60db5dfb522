//go:build linux || windows

package call_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

func init() {
	call.RegisterRole("crash client", neverFails(crashClient))
	call.RegisterRole("crash server", neverFails(crashServer))
}

// neverFails has a role's error end the process as what it finds wrong does.
func neverFails(role func([]string) error) func([]string) error {
	return func(args []string) error {
		if err := role(args); err != nil {
			wrongInRole(err)
		}
		return nil
	}
}

// endWithParent ends a role when the test's process has gone, so that none is
// left behind by a test that was itself killed.
func endWithParent() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
}

// crashClient asks until it is killed.
func crashClient(args []string) error {
	endWithParent()
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	askers, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	fmt.Println("dialling")
	c, err := call.Dial(context.Background(), args[0])
	if err != nil {
		return err
	}
	fmt.Println("dialled")
	if err := askAll(crowd(c, seed, 1, askers)); err != nil {
		return err
	}
	return errors.New("the server, which lives, is said to have gone")
}

// crashServer answers until it is killed.
func crashServer(args []string) error {
	endWithParent()
	fmt.Println("starting")
	srv, err := call.Listen(args[0], call.OnError(func(err error) {
		if !errors.Is(err, partywall.ErrPeerGone) { // a client may give up in the handshake
			wrongInRole(err)
		}
	}))
	if err != nil {
		return err
	}
	l := &ledger{wrong: wrongInRole, seen: map[uint64]struct{}{}}
	l.handle(srv)
	fmt.Println("serving")
	return srv.Serve(context.Background())
}

// wrongInRole ends the process in a way that is not that of a kill.
func wrongInRole(err error) {
	fmt.Fprintf(os.Stderr, "crash role: %v\n", err)
	os.Exit(3)
}
