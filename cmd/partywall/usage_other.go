//go:build !linux

package main

import (
	"fmt"
	"runtime"

	"github.com/partywall/partywall"
)

func usageOf(int) (usage, error) {
	return usage{}, fmt.Errorf("%w: a process's usage on %s", partywall.ErrNotSupported, runtime.GOOS)
}
