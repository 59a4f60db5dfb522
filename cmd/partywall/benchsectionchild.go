package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/internal/wait"
	"github.com/partywall/partywall/section"
)

// newServeSection returns the hidden command that is the other process of bench section.
func newServeSection() *cobra.Command {
	return &cobra.Command{
		Use:    "serve-child-section ROLE",
		Short:  "Be the other process of bench section, until standard input ends",
		Hidden: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef(cmd, "a role is needed: store, watch or futex")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGHUP) // as the other one ends this
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, cmd.InOrStdin())
				cancel()
			}()
			ready := func() error {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), readyFormat, args[0])
				return err
			}
			switch args[0] {
			case "store":
				return storeUntil(ctx, ready)
			case "watch":
				return watchUntil(ctx, ready)
			case "futex":
				return futexUntil(ctx, ready)
			}
			return fmt.Errorf("no role %q", args[0])
		},
	}
}

// storeUntil stores as fast as it can.
func storeUntil(ctx context.Context, ready func() error) error {
	s, err := section.Open[probe]("bench/value")
	if err != nil {
		return err
	}
	defer s.Close()
	if err := ready(); err != nil {
		return err
	}
	var v probe
	for n := uint64(0); ctx.Err() == nil; n++ {
		v.fill(n)
		if err := s.Store(v); err != nil {
			return err
		}
	}
	return nil
}

// watchUntil notes how old each value is when it comes.
func watchUntil(ctx context.Context, ready func() error) error {
	s, err := section.Open[probe]("bench/value")
	if err != nil {
		return err
	}
	defer s.Close()
	var h histogram
	began := wait.Stamp()
	if err := ready(); err != nil {
		return err
	}
	for change, err := range s.Watch(ctx) {
		now := wait.Stamp()
		switch {
		case ctx.Err() != nil:
			return report(&h)
		case err != nil:
			return err
		case !change.Value.whole():
			return errors.New("a watcher has got a mixture")
		case change.Value.At > began: // it was not there before
			h.record(now - change.Value.At)
		}
	}
	return report(&h)
}

// report stores what a child has measured.
func report(h *histogram) error {
	s, err := section.Open[notes]("bench/result")
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Store(notes{int64(h.count), h.quantile(0.5), h.quantile(0.99)})
}
