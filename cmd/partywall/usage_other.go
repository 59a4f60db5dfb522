//go:build !linux && !windows

package main

import (
	"fmt"
	"runtime"

	"github.com/partywall/partywall"
)

var errUsage = fmt.Errorf("%w: a process's usage on %s", partywall.ErrNotSupported, runtime.GOOS)

func usageOf(int) (usage, error) { return usage{}, errUsage }
