//go:build !windows

package main

import (
	"context"
	"fmt"

	"github.com/partywall/partywall"
)

func needsWindows(command string) error {
	return fmt.Errorf("%w: 'partywall %s' needs Windows", partywall.ErrNotSupported, command)
}

func listWindows(*windowChoice, bool) ([]windowReport, error) { return nil, needsWindows("win ls") }

func offerWindows() []windowReport { return nil }

func (s *sending) send(context.Context) (uintptr, error) { return 0, needsWindows("win send") }

func (i *invoking) invoke(context.Context, []byte) (uintptr, error) {
	return 0, needsWindows("win invoke")
}
